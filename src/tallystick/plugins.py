"""Finds plug-ins: the modules of a package of ours, and the entry points of other packages."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from typing import Any

__all__ = ["holders", "load", "names"]


def names(package: str, group: str, attribute: str) -> list[str]:
    """List the plug-ins of a kind by name, sorted.

    Each module of `package` that has `attribute` is one; so is each entry point of `group`, which another
    package declares for the same object.

    >>> names("tallystick.engines", "tallystick.engines", "ENGINE")
    ['local']
    """
    ours = (name for name in _modules(package) if _held(package, name, attribute) is not None)
    return sorted({*ours, *_points(group)})


def load(package: str, group: str, attribute: str, name: str) -> Any | None:
    """Load one plug-in; None where there is none of that name."""
    if name in _modules(package) and (found := _held(package, name, attribute)) is not None:
        return found
    point = _points(group).get(name)
    return None if point is None else point.load()


def holders(package: str, group: str) -> tuple[list[Any], list[Any]]:
    """Load all modules of `package`, and what the entry points of `group` name."""
    ours = [importlib.import_module(f"{package}.{name}") for name in _modules(package)]
    return ours, [point.load() for point in _points(group).values()]


def _modules(package: str) -> list[str]:
    return [info.name for info in pkgutil.iter_modules(importlib.import_module(package).__path__)]


def _held(package: str, name: str, attribute: str) -> Any | None:
    return getattr(importlib.import_module(f"{package}.{name}"), attribute, None)


def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}
