"""Store: the log, decisions, snapshots and leases, in SQLite or PostgreSQL.

    store = Store.open("sqlite:///state.db")
    claim = store.claim("fraud")          # one writer for each stream
    claim.commit(entry)                   # input, decisions, bad rows, notices, positions: one transaction
    store.entries("fraud", after=number)  # entries to replay after a snapshot

Window state is computed from the log: it is never written row by row, only saved periodically as a snapshot.
"""

from tallystick.store.claim import Claim
from tallystick.store.entry import Entry, LogEntry
from tallystick.store.head import Head, Holder
from tallystick.store.lease import LeaseHeldError, LeaseLostError
from tallystick.store.notices import Notice
from tallystick.store.snapshots import Arrays, Packed, pack
from tallystick.store.store import Store

__all__ = [
    "Arrays",
    "Claim",
    "Entry",
    "Head",
    "Holder",
    "LeaseHeldError",
    "LeaseLostError",
    "LogEntry",
    "Notice",
    "Packed",
    "Store",
    "pack",
]
