"""`audit_logging` keeps the register of requests, their deadlines, and the ledger."""
