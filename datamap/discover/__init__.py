"""Proposes a map from what is there: structure suspects, data decides, and what neither tells is left undecided."""
