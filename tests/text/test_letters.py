"""The frozen tables against the Python that runs."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
import pytest

from tallystick.text.letters import FINAL_SIGMA, UNICODE, WORD, lowered, tables


def assigned_in_both() -> list[int]:
    """Code points that the running Python and the tables both know; newer Pythons know more."""
    newer = tuple(map(int, unicodedata.unidata_version.split("."))) > tuple(map(int, UNICODE.split(".")))
    kinds = tables().kinds[tables().pages[tables().page_of].reshape(-1)]
    known = kinds[:, 0] > 0
    return [
        p
        for p in range(sys.maxunicode + 1)
        if unicodedata.category(chr(p)) not in ("Cn", "Cs") and not (newer and not known[p])
    ]


def test_each_character_is_a_word_character_and_lowers_as_in_python() -> None:
    kinds = tables().kinds[tables().pages[tables().page_of].reshape(-1)]
    wrong = [
        hex(p)
        for p in assigned_in_both()
        if bool(kinds[p, 0] & WORD) != (chr(p).isalnum() or chr(p) == "_")
        or chr(p + kinds[p, 1]) != chr(p).lower()[0]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "ΟΔΟΣ",
        "ΟΔΟΣ Α",
        "Σ",
        "ΣΣ",
        "Α'Σ",
        "ΑΣ'Α",
        "ΑΣ.",
        "1Σ",
        "Α1Σ",
        "Α\u00adΣ\u00ad",
        "Σ\u0307",
        "aΣ",
        "ΑΣΑ",
    ],
)
def test_a_sigma_lowers_by_its_neighbours(text: str) -> None:
    data = np.frombuffer(text.encode(), np.uint8).copy()
    out = np.empty(4 * len(data), np.uint8)
    size = lowered(data, 0, len(data), tables(), out)
    ours = [chr(FINAL_SIGMA) == c for c in out[:size].tobytes().decode() if c in "σς"]
    assert ours == [c == "ς" for c in text.lower() if c in "σς"]


def test_the_tables_are_small() -> None:
    assert sum(table.nbytes for table in tables()) < 50_000
