"""Store: the log, decisions, snapshots and leases, in SQLite or PostgreSQL."""
