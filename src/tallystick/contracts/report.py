"""Row counts of a run: clean, quarantined and duplicate rows, which must add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tallystick.contracts.column_mapping import ColumnMapping
from tallystick.errors import DataError

__all__ = ["ASK_FOR_QUARANTINE", "Report"]

#: The next step where no row is usable and nobody has named a file for them.
ASK_FOR_QUARANTINE = "The quarantine file says what is wrong with each: --quarantine BAD.jsonl."


@dataclass(frozen=True, slots=True)
class Report:
    """Rows in, clean, in quarantine and duplicate; reports of chunks add up with `+`.

    ignored: names of theirs that are none of ours; columns: those of ours that any chunk has;
    examples: code → the first value that it was said of, and what would read it.

    Raises ValueError where a row is lost or counted twice: that is a fault of the program, not of the data.

    >>> (Report(3, 2, 1, 0, {"bad_time": 1}) + Report(1, 0, 0, 1)).to_dict()["reasons"]
    {'bad_time': 1}
    """

    rows_in: int = 0
    rows_clean: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counted = self.rows_clean + self.rows_quarantined + self.rows_duplicate
        if self.rows_in != counted or sum(self.reasons.values()) != self.rows_quarantined:
            raise ValueError(
                f"{self.rows_in} rows in, but {self.rows_clean} clean + {self.rows_quarantined} quarantined "
                f"+ {self.rows_duplicate} duplicate, for reasons {dict(self.reasons)}"
            )

    @staticmethod
    def of(
        reasons: Iterable[str], clean: int, duplicate: int = 0, column_mapping: ColumnMapping | None = None
    ) -> Report:
        """Count one chunk: the reason of each bad row, clean rows, duplicates, and what its names say."""
        counts: dict[str, int] = {}
        for code in reasons:
            counts[code] = counts.get(code, 0) + 1
        bad = sum(counts.values())
        count = clean + bad + duplicate
        if column_mapping is None:
            return Report(count, clean, bad, duplicate, counts)
        return Report(
            count,
            clean,
            bad,
            duplicate,
            counts,
            column_mapping.ignored,
            column_mapping.ours,
            column_mapping.notes,
        )

    def __add__(self, other: Report) -> Report:
        codes = sorted({*self.reasons, *other.reasons})
        return Report(
            self.rows_in + other.rows_in,
            self.rows_clean + other.rows_clean,
            self.rows_quarantined + other.rows_quarantined,
            self.rows_duplicate + other.rows_duplicate,
            {code: self.reasons.get(code, 0) + other.reasons.get(code, 0) for code in codes},
            tuple(dict.fromkeys(self.ignored + other.ignored)),
            tuple(dict.fromkeys(self.columns + other.columns)),
            tuple(dict.fromkeys(self.notes + other.notes)),
            {**other.examples, **self.examples},
        )

    def moved_to_duplicates(self, count: int) -> Report:
        """Return the report once some of the clean rows turned out to be duplicates."""
        return replace(self, rows_clean=self.rows_clean - count, rows_duplicate=self.rows_duplicate + count)

    def to_dict(self) -> dict[str, Any]:
        """Return what --json shows, reasons in alphabetical order."""
        return {
            "rows_in": self.rows_in,
            "rows_clean": self.rows_clean,
            "rows_quarantined": self.rows_quarantined,
            "rows_duplicate": self.rows_duplicate,
            "reasons": dict(sorted(self.reasons.items())),
            "ignored_columns": list(self.ignored),
            "examples": dict(sorted(self.examples.items())),
            "notes": list(self.notes),
        }

    def refuse(self, strict: bool = False, most: float | None = None) -> None:
        """Raise DataError when more rows are bad than allowed: any if strict, else a share of rows in (0 …
        1).

        Duplicates are not bad rows.
        """
        limit = 0.0 if strict else most
        if limit is None or not self.rows_quarantined or self.rows_quarantined <= limit * self.rows_in:
            return
        asked = "--strict allows none" if strict else f"--max-quarantine allows {limit:.4g} of them"
        raise DataError(
            f"{self.rows_quarantined} of {self.rows_in} rows are in quarantine, and {asked}: {self._why()}.",
            "Mend them, or allow more: --max-quarantine SHARE.",
        )

    def usable(self) -> None:
        """Raise DataError when no row is left to work with."""
        if self.rows_clean:
            return
        if not self.rows_in:
            raise DataError("There is no row in the input.", "It is empty, or holds a header only.")
        raise DataError(
            f"None of {self.rows_in} rows can be used: {self._why() or 'all are duplicates'}.",
            ASK_FOR_QUARANTINE if self.rows_quarantined else "Look at the keys of the input.",
        )

    def _why(self) -> str:
        ordered = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{count} {code}" for code, count in ordered)
