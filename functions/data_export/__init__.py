"""`data_export` is for access (Art. 15) and portability (Art. 20). So far it answers for its health."""
