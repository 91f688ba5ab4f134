"""Whole worlds to try the data map on: schemas, maps and the rows of several people, and an oracle that walks them."""
