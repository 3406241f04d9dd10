from __future__ import annotations

import pytest

from tallystick.contracts import Column, Contract, Format
from tallystick.contracts.formats import recognised

FIRST = Format("first", ("Class", "V1"), names=(("Class", "bad"),))
SECOND = Format("second", ("v1",))
COLUMNS = (
    Column("v1", "number", "Part"),
    Column("bad", "flag", "Label"),
    Column("kind", "category", "Kind", aliases=("class",)),
)
PLAIN = Contract("plain", 1, COLUMNS)
FORMED = Contract("plain", 1, COLUMNS, formats=(FIRST, SECOND))


def test_a_format_is_known_by_all_its_headings_and_the_first_wins() -> None:
    assert recognised((FIRST, SECOND), ["x", "CLASS ", "v_1"]) is FIRST
    assert recognised((FIRST, SECOND), ["V1"]) is SECOND
    assert recognised((FIRST, SECOND), ["class"]) is None


def test_a_heading_means_what_its_format_says() -> None:
    column_mapping = FORMED.resolve(["V1", "Class"])
    assert column_mapping.theirs == {"v1": "V1", "bad": "Class"}
    assert column_mapping.format is FIRST
    assert FORMED.resolve(["Class"]).theirs == {"kind": "Class"}
    assert FORMED.resolve(["V1", "Class"], {"Class": "kind"}).theirs == {"v1": "V1", "kind": "Class"}
    assert PLAIN.resolve(["V1", "Class"]).theirs == {"v1": "V1", "kind": "Class"}


def test_formats_are_part_of_the_fingerprint() -> None:
    assert FORMED.fingerprint() != PLAIN.fingerprint()


def test_a_wrong_declaration_is_refused() -> None:
    with pytest.raises(ValueError, match="known by its headings"):
        Format("none", ())
    with pytest.raises(ValueError, match="go together"):
        Format("none", ("a",), step="1h")
    with pytest.raises(ValueError, match="not a length of time"):
        Format("none", ("a",), time="a", step="hour")
    with pytest.raises(ValueError, match='names no column: "who"'):
        Contract("plain", 1, COLUMNS, formats=(Format("none", ("a",), names=(("a", "who"),)),))
