"""URIs of databases: what is meant, what is shown, and that no password ever is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import (
    Location,
    TablePlace,
    beside,
    open_sink,
    open_source,
    place,
    resolved,
    shown,
)
from tallystick.connectors.database_address import Address, password, quoted
from tallystick.errors import TallystickError, UsageError


@pytest.mark.parametrize(
    ("uri", "path", "secret"),
    [
        ("postgresql://me:pw@h:5/db?table=t", "postgresql://me@h:5/db", "pw"),
        ("postgres://me:p%2Fw%40@h/db", "postgresql://me@h/db", "p/w@"),
        ("postgresql://me:p/w#1@h/db", "postgresql://me@h/db", "p/w#1"),
        ("postgresql://h:5432/db@x?table=t", "postgresql://h:5432/db@x", ""),
        ("postgresql://h/db?password=pw", "postgresql://h/db", "pw"),
        ("postgresql://me@[::1]:5432/db", "postgresql://me@[::1]:5432/db", ""),
        ("kafka://me:pw@a:1,b:2/topic", "kafka://me@a:1,b:2/topic", "pw"),
        ("kafka://a:1/topic@2", "kafka://a:1/topic@2", ""),
    ],
)
def test_a_password_is_taken_away_from_what_is_shown(uri: str, path: str, secret: str) -> None:
    location = Location.parse(uri)
    assert (location.path, location.secret) == (path, secret)
    if secret:
        assert secret not in repr(location)
        assert secret not in shown(uri)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=6).map(lambda s: f"S3c{s}"))
def test_no_error_holds_a_password_however_it_is_written(secret: str) -> None:
    uri = f"postgresql://me:{secret}@127.0.0.1:1/db?table=payments"
    with pytest.raises(TallystickError) as caught:
        open_source(uri, Settings())
    assert secret[:4] not in str(caught.value) + repr(Location.parse(uri))


def test_where_a_password_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pw"
    file.write_text("of the file\n")
    bare, full = (Location.parse(f"postgresql://me{pw}@h/db") for pw in ("", ":mine"))
    assert password(bare) == ""
    monkeypatch.setenv("TALLYSTICK_DATABASE_PASSWORD_FILE", str(file))
    assert password(bare) == "of the file"
    monkeypatch.setenv("TALLYSTICK_DATABASE_PASSWORD", "of the environment")
    assert (password(bare), password(full)) == ("of the environment", "mine")
    monkeypatch.delenv("TALLYSTICK_DATABASE_PASSWORD")
    file.unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        password(bare)


def test_a_query_is_taken_as_it_stands_or_decoded() -> None:
    as_it_is = "sqlite:///a.db?query=select a+1, '100%' from t where b = 'x&y#?'"
    assert Location.parse(as_it_is).options == {"query": "select a+1, '100%' from t where b = 'x&y#?'"}
    assert Location.parse("sqlite:///a.db?query=select+a%2B1").options == {"query": "select a+1"}


def test_tables_are_named_with_and_without_their_schema() -> None:
    def parts(text: str) -> tuple[str, str, str]:
        address = Address.of(Location("sqlite", "sqlite:///a.db", options={"table": text}), ())
        return address.schema, address.name, address.sql

    assert parts("t") == ("", "t", '"t"')
    assert parts("bank.Pay ments") == ("bank", "Pay ments", '"bank"."Pay ments"')
    assert parts('"a.b"') == ("", "a.b", '"a.b"')
    assert parts('"a""b"."c"') == ('a"b', "c", '"a""b"."c"')
    assert parts("a.b.c") == ("", "a.b.c", '"a.b.c"')
    assert quoted('"; drop table x') == '"""; drop table x"'


def test_places_beside_an_output() -> None:
    one = beside("postgresql://me:p%23w@h/db?sslmode=require&table=x.y z", "duplicates")
    assert isinstance(one, TablePlace)
    assert one.location.secret == "p#w"
    assert one.location.options == {"sslmode": "require", "table": "x.y z_duplicates"}
    assert str(one) == "postgresql://me@h/db?table=x.y z_duplicates"
    two = beside('sqlite:///a.db?table="a.b"', "quarantine")
    assert isinstance(two, TablePlace)
    assert Address.of(two.location, ()).name == "a.b_quarantine"
    assert str(place("sqlite:///a.db?table=b", "c")) == "sqlite:///a.db?table=b"
    assert (place("d.csv"), beside(Path("d.csv"), "x")) == (Path("d.csv"), Path("d.csv.x.jsonl"))


def test_one_place_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    assert resolved("sqlite:///a.db") == resolved(f"sqlite:///{tmp_path}/link.db?table=DECISIONS")
    assert resolved("postgresql://me:pw@h/d?table=t") == resolved("postgres://you@h/d?sslmode=off&table=t")
    assert resolved("sqlite:///a.db?table=a") != resolved("sqlite:///a.db?table=b")
    assert resolved("a.db") != resolved("sqlite:///a.db")


@pytest.mark.parametrize("table", ["ts_log", "TS_x", "sqlite_master", "pg_class"])
def test_tables_of_others_are_no_output(table: str) -> None:
    with pytest.raises(UsageError, match="not for outputs"):
        open_sink(f"sqlite:///a.db?table={table}")


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sqlite://a.db?table=t", "names no file"),
        ("sqlite:///?table=t", "names no file"),
        ("sqlite:///:memory:?table=t", "names no file"),
        ("sqlite:///a.db?tabel=t", 'no option "tabel"'),
        ("sqlite:///a.db?table=t&query=select+1", "both a table and a query"),
        ("postgresql://h:x/db?table=t", "port is not a number"),
        ("sqlit:///a.db?table=t", 'no connector for "sqlit://"'),
    ],
)
def test_what_cannot_be_meant_is_told(uri: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(uri, Settings())
    assert words in str(caught.value)
