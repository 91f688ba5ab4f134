"""The stores on one machine: what stands in for RDS, ElastiCache and AWS while developing and testing.

Nothing in `functions/` or `shared/` knows that this package exists.
"""
