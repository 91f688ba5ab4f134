"""`data_deletion` carries out erasure (Art. 17)."""
