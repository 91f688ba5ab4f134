"""`audit_logging` is for the register of requests and the ledger. So far it answers for its health."""
