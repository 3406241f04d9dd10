"""Finds solutions, learners and engines by name: built-in ones by their files, strangers' by entry points.

A built-in one is a module of its package with the attribute SOLUTION, LEARNER or ENGINE; another package
offers the same object under the entry-point group `tallystick.solutions`, `tallystick.learners` or
`tallystick.engines`.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from tallystick.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tallystick.engines import Engine
    from tallystick.learners import Learner
    from tallystick.scorer import Solution

__all__ = ["engine", "learner", "names", "solution"]

ATTRIBUTES = {"solutions": "SOLUTION", "learners": "LEARNER", "engines": "ENGINE"}


def _builtin(kind: str) -> set[str]:
    """Names of the modules that may offer one; only solutions are known without a look inside."""
    package = importlib.import_module(f"tallystick.{kind}")
    return {m.name for m in pkgutil.iter_modules(package.__path__)}


def _strangers(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"tallystick.{kind}")}


def names(kind: str) -> list[str]:
    """List what there is of a kind (`solutions`, `learners`, `engines`), sorted."""
    found = {
        name
        for name in _builtin(kind)
        if hasattr(importlib.import_module(f"tallystick.{kind}.{name}"), ATTRIBUTES[kind])
    }
    return sorted(found | set(_strangers(kind)))


def _find(kind: str, name: str) -> Any:
    if name in _builtin(kind):
        module = importlib.import_module(f"tallystick.{kind}.{name}")
        if hasattr(module, ATTRIBUTES[kind]):
            return getattr(module, ATTRIBUTES[kind])
    if name in _strangers(kind):
        return _strangers(kind)[name].load()
    raise UsageError(f'There is no {kind.removesuffix("s")} "{name}".', did_you_mean(name, names(kind)))


def solution(name: str) -> Solution:
    """Find a solution by name; UsageError says which there are."""
    found: Solution = _find("solutions", name)
    return found


def learner(name: str) -> Learner:
    """Find a learner by name; UsageError says which there are."""
    found: Learner = _find("learners", name)
    return found


def engine(name: str) -> Engine:
    """Find an engine by name; UsageError says which there are."""
    found: Engine = _find("engines", name)
    return found
