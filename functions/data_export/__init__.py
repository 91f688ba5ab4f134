"""`data_export` answers a subject-access request (Art. 15) and portability (Art. 20)."""
