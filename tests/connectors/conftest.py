"""What the connector tests share: files by their bytes, and what reading them gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tallystick.config import Settings
from tallystick.connectors import Broken, Chunk, open_source


@dataclass(frozen=True)
class Outcome:
    """All that one reading gave."""

    rows: list[dict[str, Any]]
    records: list[int]
    broken: list[Broken]
    notes: tuple[str, ...]
    chunks: list[Chunk]

    def codes(self) -> list[tuple[int, str]]:
        return [(one.record, one.code) for one in self.broken]


def read(path: Path | str, known: tuple[str, ...] = (), delimiter: str = "", **settings: Any) -> Outcome:
    source = open_source(path, Settings(**settings), known=known, delimiter=delimiter)
    chunks = list(source.chunks())
    return Outcome(
        rows=[row for chunk in chunks for row in chunk.rows.to_pylist()],
        records=[int(number) for chunk in chunks for number in chunk.records],
        broken=[one for chunk in chunks for one in chunk.broken],
        notes=source.notes,
        chunks=chunks,
    )


Reader = Callable[..., Outcome]


@pytest.fixture(name="read_bytes")
def _read_bytes(tmp_path: Path) -> Reader:
    def reader(data: bytes, name: str = "a.csv", **how: Any) -> Outcome:
        path = tmp_path / name
        path.write_bytes(data)
        return read(path, **how)

    return reader


@pytest.fixture(name="read_path")
def _read_path() -> Reader:
    return read
