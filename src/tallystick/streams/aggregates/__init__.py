"""Windowed aggregates of a stream: counts, sums, means, shares; the trend of a series and what is odd."""

from tallystick.streams.aggregates.aggregates import Aggregates
from tallystick.streams.aggregates.state import AggregateState

__all__ = ["AggregateState", "Aggregates"]
