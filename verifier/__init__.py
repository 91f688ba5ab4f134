"""The offline verifier of the ledger, for an auditor who has objects, public keys, and trust in nobody here.

It has the hashing in common with whoever wrote the ledger (shared/ledger/merkle.py), and nothing else: what was written
wrongly would otherwise be read wrongly as well. Everything here follows the specifications (C2SP, RFC 9162).
"""
