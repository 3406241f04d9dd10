"""Tables are made and brought up by themselves, once, and those from the future are left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tallystick.errors import TallystickError
from tallystick.store import Entry, Store, versions
from tallystick.store.tables import METADATA


def test_the_known_versions_are_those_that_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(versions.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(steps)) == versions.SCHEMA_VERSIONS


def test_the_steps_make_the_tables_that_are_used(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        found = compare_metadata(context, METADATA)
        return [d for d in found if "ts_version" not in str(d) and not _is_of_a_day(d)]

    assert store._database.read(differences) == []


def _is_of_a_day(difference: object) -> bool:
    """PostgreSQL's partitions, and the day that they go by."""
    return "_d1" in str(difference) or ("remove_column" in str(difference) and "'day'" in str(difference))


def test_all_tables_have_their_prefix_and_their_tenant(store: Store) -> None:
    def look(connection: Connection) -> dict[str, list[str]]:
        seen = inspect(connection)
        return {name: [c["name"] for c in seen.get_columns(name)] for name in seen.get_table_names()}

    tables = store._database.read(look)
    assert len(tables) >= 9
    assert all(name.startswith("ts_") for name in tables)
    assert [name for name, columns in tables.items() if "tenant" not in columns] == ["ts_version"]


def test_opening_again_changes_nothing(uri: str, entry: Callable[..., Entry]) -> None:
    with Store.open(uri) as store:
        claim = store.claim("fraud")
        claim.commit(entry(1))
        claim.release()
    for _ in range(2):
        with Store.open(uri, create=False) as store:
            assert [one.number for one in store.entries("fraud")] == [1]


def test_tables_of_others_stay(uri: str) -> None:
    with Store.open(uri) as store:
        store._database.write(lambda c: c.execute(text("CREATE TABLE decisions (id text)")))
        store._database.write(lambda c: c.execute(text("DROP TABLE ts_version")))
        names = "ts_head ts_log ts_decisions ts_quarantine ts_marks ts_notices ts_snapshots ts_snapshot_parts"
        for name in names.split():
            store._database.write(lambda c, name=name: c.execute(text(f"DROP TABLE {name}")))
    with Store.open(uri) as store:
        store.claim("fraud")
        assert "decisions" in store._database.read(lambda c: inspect(c).get_table_names())


def test_a_store_of_a_newer_version_is_left_alone(uri: str) -> None:
    with Store.open(uri) as store:
        store._database.write(lambda c: c.execute(text("UPDATE ts_version SET version_num = '0099'")))
    with pytest.raises(TallystickError, match="newer Tallystick: its tables are of version 0099"):
        Store.open(uri)


def test_processes_may_open_a_new_store_at_once(uri: str) -> None:
    code = (
        "import sys, time\n"
        "from tallystick.store import Store\n"
        "import alembic.command\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "store = Store.open(sys.argv[1]); store.claim(sys.argv[2]); store.close()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, uri, f"s{i}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for i in range(2)
    ]  # fmt: skip
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in started:
            _, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, "")
    finally:
        for process in started:
            process.kill()
            process.wait()
    with Store.open(uri) as store:
        assert all(store.head(f"s{i}") is not None for i in range(2))
