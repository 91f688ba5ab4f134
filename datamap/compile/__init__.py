"""Map and catalogue become one plan: statements that count, export, erase and verify, for one person or for several."""
