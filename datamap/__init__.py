"""The data map: where a person's data lives, and what happens to it. Discovered, checked, and compiled into a plan."""
