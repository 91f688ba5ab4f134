"""`data_deletion` is for erasure (Art. 17). So far it answers for its health."""
