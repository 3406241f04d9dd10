"""Where a store may lie, and what is said where it may not."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from tallystick.errors import TallystickError, UsageError
from tallystick.store import Store
from tallystick.store.location import parse_uri


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("mysql://ann:secret@db/bank", '"mysql" is no store'),
        ("state.db", '"state.db" is no store'),
        ("sqlite://", '"sqlite" is no store'),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///a.db?table=x", 'takes no options, and this has "table"'),
        ("postgresql://ann:secret@db:port/bank", "cannot be read"),
        ("postgresql://ann:secret@db", "names no database"),
    ],
)
def test_what_is_no_store_is_said_without_its_password(uri: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        Store.open(uri)
    assert "secret" not in str(raised.value)


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("sqlite:///state.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.claim("fraud")
        assert store.uri_shown == "sqlite:///state.db"
    assert [p.name for p in tmp_path.iterdir()] == ["state.db", "elsewhere"] or not list(Path().iterdir())


@pytest.mark.parametrize("how", ["uri", "query", "variable", "file"])
def test_the_password_of_a_server_is_used_and_never_shown(how: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss:1\n")
    uri, environment = {
        "uri": ("postgres://ann:p%40ss%3A1@db:5432/bank", {}),
        "query": ("postgresql://ann@db:5432/bank?password=p%40ss%3A1&sslmode=require", {}),
        "variable": ("postgresql://ann@db:5432/bank", {"TALLYSTICK_STORE_PASSWORD": "p@ss:1"}),
        "file": (
            "postgresql://ann@db:5432/bank",
            {"TALLYSTICK_STORE_PASSWORD_FILE": str(tmp_path / "secret")},
        ),
    }[how]
    place = parse_uri(uri, environment)
    assert place.url is not None
    assert place.url.password == "p@ss:1"
    assert place.shown == "postgresql://ann@db:5432/bank"
    assert "p@ss" not in repr(place)
    assert dict(place.url.query) == ({"sslmode": "require"} if how == "query" else {})


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"STORE_PASSWORD_FILE names .* cannot be read: No such file"):
        parse_uri("postgresql://ann@db/bank", {"TALLYSTICK_STORE_PASSWORD_FILE": str(tmp_path / "none")})


def test_a_server_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    with pytest.raises(UsageError, match=r"postgresql://ann@127.0.0.1:1/bank cannot be reached") as raised:
        Store.open("postgresql://ann:secret@127.0.0.1:1/bank")
    assert raised.value.message.endswith("Connection refused.")  # not what libpq asks, which our hint says
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(raised.value)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.write_text("a,b\n1,2\n" * 100)
    with pytest.raises(UsageError, match="is no SQLite database"):
        Store.open(f"sqlite:///{file}")
    assert file.read_text() == "a,b\n1,2\n" * 100
    assert [p.name for p in tmp_path.iterdir()] == ["state.db"]


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    Store.open(f"sqlite:///{file}").close()
    content = bytearray(file.read_bytes())
    content[16:] = os.urandom(len(content) - 16)
    file.write_bytes(content)
    with pytest.raises(UsageError, match="no SQLite database, or is damaged"):
        Store.open(f"sqlite:///{file}")


def test_a_folder_a_missing_folder_and_a_missing_file_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no file"):
        Store.open(f"sqlite:///{tmp_path}")
    with pytest.raises(UsageError, match="there is no folder"):
        Store.open(f"sqlite:///{tmp_path}/none/state.db")
    with pytest.raises(UsageError, match="There is no store"):
        Store.open(f"sqlite:///{tmp_path}/state.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "state.db"
    Store.open(f"sqlite:///{file}").close()
    # Root may write what nobody may: the system's answer is given in its place.
    monkeypatch.setattr("tallystick.store.sqlite.os.access", lambda *_: False)
    with pytest.raises(UsageError, match="cannot be written"):
        Store.open(f"sqlite:///{file}")


def test_an_unknown_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='no durability "none"'):
        Store.open(f"sqlite:///{tmp_path}/state.db", durability="none")


@pytest.mark.parametrize(("durability", "level"), [("power", 2), ("process", 1)])
def test_commits_are_synced_as_asked(tmp_path: Path, durability: str, level: int) -> None:
    with Store.open(f"sqlite:///{tmp_path}/state.db", durability=durability) as store:
        found = store._database.write(
            lambda c: [
                c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")
            ]
        )
    assert found == [level, "wal"]


@pytest.mark.postgres
@pytest.mark.parametrize(("durability", "level"), [("power", "on"), ("process", "off")])
def test_a_server_syncs_commits_as_asked(postgres: str, durability: str, level: str) -> None:
    with Store.open(postgres, durability=durability) as store:
        found = store._database.write(lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar())
    assert found == level


def test_a_file_that_is_kept_busy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.store.sqlite.WAIT", 0.1)
    uri = f"sqlite:///{tmp_path}/state.db"
    with Store.open(uri) as store:
        other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TallystickError, match="locked by another process"):
            store.claim("fraud")
        other.execute("ROLLBACK")
        other.close()
        store.claim("fraud")


def test_a_new_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE theirs (id)")
    other.execute("BEGIN EXCLUSIVE")
    later = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    later.start()
    Store.open(f"sqlite:///{tmp_path}/state.db").close()
    later.join()
    other.close()
