"""A database of each kind, so that a test says once what holds for both."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Run", "database", "run"]

#: Runs a statement, kept at once.
Run = Callable[..., Any]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URI of an empty database: of a file that is not there yet, or of a real PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a.db"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def run(database: str) -> Iterator[Run]:
    """Run statements in the database, past Tallystick."""
    if database.startswith("sqlite"):
        opened: Any = sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)
    else:
        import psycopg

        opened = psycopg.connect(database, autocommit=True)
    with closing(opened) as connection:
        yield connection.execute
