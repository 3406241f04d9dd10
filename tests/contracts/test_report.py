from __future__ import annotations

from dataclasses import replace

import pytest

from tallystick.contracts import Report
from tallystick.errors import DataError

BAD = Report.of(["bad_time", "bad_time", "nul_byte"], clean=6, duplicate=1)


def test_chunks_add_up() -> None:
    both = BAD + Report.of(["nul_byte"], clean=0) + Report()
    assert both.to_dict() == {
        "rows_in": 11,
        "rows_clean": 6,
        "rows_quarantined": 4,
        "rows_duplicate": 1,
        "reasons": {"bad_time": 2, "nul_byte": 2},
        "ignored_columns": [],
        "examples": {},
        "notes": [],
    }


def test_the_first_example_of_a_reason_stays() -> None:
    one, two = (replace(BAD, examples={"bad_time": name, name: name}) for name in ("a", "b"))
    assert (one + two).to_dict()["examples"] == {"a": "a", "b": "b", "bad_time": "a"}


def test_words_are_said_once() -> None:
    one = Report(ignored=("a", "b"), notes=("n",))
    assert (one + Report(ignored=("b", "c"), notes=("n",))).to_dict()["ignored_columns"] == ["a", "b", "c"]
    assert (one + one).notes == ("n",)


@pytest.mark.parametrize("counts", [(3, 1, 1, 0, {"bad_time": 1}), (1, 0, 1, 0, {}), (0, 1, 0, 0, {})])
def test_a_lost_row_is_a_fault_of_the_program(counts: tuple[int, int, int, int, dict[str, int]]) -> None:
    with pytest.raises(ValueError, match="rows in"):
        Report(*counts)


def test_more_bad_rows_than_allowed_are_refused() -> None:
    BAD.refuse()
    BAD.refuse(most=0.3)  # 3 of 10 are just allowed
    with pytest.raises(DataError, match=r"3 of 10 rows .* 2 bad_time, 1 nul_byte"):
        BAD.refuse(most=0.29)
    with pytest.raises(DataError, match="--strict"):
        BAD.refuse(strict=True, most=0.5)
    Report.of([], clean=1, duplicate=5).refuse(strict=True)  # duplicates are not bad rows


def test_no_usable_row() -> None:
    BAD.usable()
    with pytest.raises(DataError, match="no row in the input"):
        Report().usable()
    with pytest.raises(DataError, match="None of 2 rows can be used: 2 bad_time"):
        Report.of(["bad_time"] * 2, clean=0).usable()
