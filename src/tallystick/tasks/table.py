"""A further table of a solution, such as labels that arrive by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tallystick.contracts import Contract

__all__ = ["Table"]


@dataclass(frozen=True)
class Table:
    """A table beside the main one.

    name: as on the command line; role: `labels`, whose rows say what became of rows of the main table and
    when that became known; on: the column that both tables have, the main table's key for labels.
    """

    name: str
    contract: Contract
    role: Literal["labels"] = "labels"
    on: str = ""
