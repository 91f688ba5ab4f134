"""The ledger: entries that are only ever added, a Merkle tree over them, and checkpoints of it that lie outside."""
