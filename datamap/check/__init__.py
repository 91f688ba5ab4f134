"""Compares a map with what is there, and says each fault where it stands in the file."""
