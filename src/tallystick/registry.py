"""Finds solutions, learners and engines by name.

A built-in one is a module of its package with the attribute SOLUTION, LEARNER or ENGINE; another package
declares the same object as an entry point of the group `tallystick.solutions`, `tallystick.learners` or
`tallystick.engines`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallystick import plugins
from tallystick.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tallystick.engines import Engine
    from tallystick.learners import Learner
    from tallystick.tasks import Solution

__all__ = ["engine", "learner", "names", "solution"]

ATTRIBUTES = {"solutions": "SOLUTION", "learners": "LEARNER", "engines": "ENGINE"}


def names(kind: str) -> list[str]:
    """List what there is of a kind (`solutions`, `learners`, `engines`), sorted."""
    return plugins.names(f"tallystick.{kind}", f"tallystick.{kind}", ATTRIBUTES[kind])


def _find(kind: str, name: str) -> Any:
    found = plugins.load(f"tallystick.{kind}", f"tallystick.{kind}", ATTRIBUTES[kind], name)
    if found is None:
        raise UsageError(f'There is no {kind.removesuffix("s")} "{name}".', did_you_mean(name, names(kind)))
    return found


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
