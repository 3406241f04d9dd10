"""Where tables live and work runs; what is relational is written once, against Narwhals."""

from tallystick.engines.base import Engine, Work
from tallystick.engines.duplicates import duplicates, repeated

__all__ = ["Engine", "Work", "duplicates", "repeated"]
