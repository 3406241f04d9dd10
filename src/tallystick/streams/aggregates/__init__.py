"""Windowed aggregates of a stream: counts, sums, means, shares; the trend of a series and anomalies.

`windows/` answers another question, and does not hold this one: it gives each event what its entity did
before it, and so keeps a ring of buckets for each entity, moved on by that entity's own events and read one
entity at a time. Here all groups of a window are read at once when it closes, on a calendar that all groups
share; periods lie in matrices (periods, groups), so that closing is a sum along one axis. The answers differ
too, and are documented: means of whole numbers are exact and rounded once, a distinct count is exact up to a
bound and says where it stops, the standard deviation of money is that of Welford, and groups beyond a bound
share one. What is the same is shared: the hashes of values with `windows.hashes`, conditions and calendar,
the encoding of columns with `streams.batches`.
"""

from tallystick.streams.aggregates.aggregates import Aggregates
from tallystick.streams.aggregates.state import AggregateState

__all__ = ["AggregateState", "Aggregates"]
