"""Tallystick: decisions from banking records, in batch, on a stream and behind an API.

One definition gives identical results in each of these modes. Every command is also a function here, which
takes a data frame as well as a path:

    import tallystick as ts

    ts.train("complaints", frame, model="model")
    decisions = ts.score("complaints", frame, model="model")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tallystick.jobs.analyse import analyse
    from tallystick.jobs.demo import demo
    from tallystick.jobs.evaluate import evaluate
    from tallystick.jobs.features import features
    from tallystick.jobs.load import load
    from tallystick.jobs.score import score
    from tallystick.jobs.settings import settings
    from tallystick.jobs.simulate import simulate
    from tallystick.jobs.stream import stream
    from tallystick.jobs.train import train
    from tallystick.jobs.validate import validate

__all__ = [
    "__version__",
    "analyse",
    "demo",
    "evaluate",
    "features",
    "load",
    "score",
    "settings",
    "simulate",
    "stream",
    "train",
    "validate",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a command's function on first use, so that importing the package stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'tallystick' has no attribute '{name}'")
    return getattr(importlib.import_module(f"tallystick.jobs.{name}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
