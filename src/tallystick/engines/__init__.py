"""Where tables live and work runs; what is relational is written once, against Narwhals."""

from tallystick.engines.base import Engine
from tallystick.engines.duplicates import duplicates, repeated

__all__ = ["Engine", "duplicates", "repeated"]
