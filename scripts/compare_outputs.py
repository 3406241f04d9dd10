"""Comparison of two files of outputs: reports, decisions, quarantine, tables."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

import polars as pl

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Record: TypeAlias = dict[str, object]

SCORE_TOLERANCE = 1e-12  # absolute; also of a feature, relative above 1
EFFECT_TOLERANCE = 1e-9  # absolute
FIGURE_TOLERANCE = 1e-9  # relative

# Last names of a key whose value is text for people.
WORDING = {"notes", "title", "words", "split", "kind", "message", "wanted", "error"}
# First names of a key of a stream's report that hold the clock, the machine or a full path.
CLOCK = {"started", "now", "elapsed_s", "rate", "rate_now", "latency_ms", "latency_now_ms", "commits"}
CLOCK |= {"sinks", "state", "alerts", "lag", "queued", "behind", "distribution", "series"}
IDENTITY = {"fingerprint", "model", "models"}
# Checks of a decision's columns that are compared exactly, and the columns that a bad record must have kept.
COLUMNS = {"label": "labels", "action": "actions", "route": "routes", "model": "model-id"}
QUARANTINE = ("code", "column", "row", "file", "value", "record")


@dataclass
class Check:
    """What one comparison found: counts, the largest difference of numbers, whether it is deliberate."""

    step: str
    check: str
    compared: int = 0
    different: int = 0
    largest: float = 0.0
    accepted: bool = False
    examples: list[str] = field(default_factory=list)

    def add(self, place: str, old: object, new: object, different: bool, far: float = 0.0) -> None:
        """Count one comparison, and keep the first three differences as examples."""
        self.compared += 1
        self.largest = max(self.largest, far)
        if different:
            self.different += 1
            if len(self.examples) < 3:
                self.examples.append(f"{place}: {old!r}, then {new!r}"[:300])

    def equal(self, place: str, old: object, new: object) -> None:
        """Compare two values exactly."""
        self.add(place, old, new, old != new)

    def near(self, place: str, old: object, new: object, tolerance: float) -> None:
        """Compare two numbers to an absolute tolerance."""
        far = distance(old, new)
        self.add(place, old, new, far > tolerance, far)


class Checks:
    """The checks of one step by name."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.found: dict[str, Check] = {}

    def __getitem__(self, name: str) -> Check:
        return self.found.setdefault(name, Check(self.step, name))


def distance(old: object, new: object) -> float:
    """Give the absolute difference of two numbers: 0 where both are missing, infinite where one is."""
    numbers = [value for value in (old, new) if isinstance(value, int | float) and not math.isnan(value)]
    if len(numbers) < 2:
        return 0.0 if not numbers and (old is None) == (new is None) else math.inf
    return 0.0 if numbers[0] == numbers[1] else abs(numbers[0] - numbers[1])


def read_records(path: Path) -> list[Record]:
    """Read rows of a Parquet or JSONL file; maps become dicts."""
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return sorted(
            (json.loads(line) for line in lines), key=lambda row: (str(row.get("id")), str(row.get("task")))
        )
    return pl.read_parquet(path).to_dicts() if path.exists() else []


def compare_decisions(old: Path, new: Path, checks: Checks) -> None:
    """Compare decisions in the order of the file; those of a stream by id and task."""
    before, after = read_records(old), read_records(new)
    checks["rows"].equal("number of rows", len(before), len(after))
    for one, other in zip(before, after, strict=False):
        row = f"{one.get('id')} {one.get('task')}"
        for name in one | other:
            former, latter = one.get(name), other.get(name)
            if name == "score":
                checks["scores"].near(row, former, latter, SCORE_TOLERANCE)
            elif name == "scores":
                compare_scores(former, latter, row, checks["all scores"])
            elif name == "reasons":
                compare_reasons(former, latter, row, checks)
            elif name == "label" and one.get("task") == "anomaly" and latter is None:
                checks["anomaly-label"].equal(row, former, latter)
            else:
                checks[COLUMNS.get(name, "other columns")].equal(f"{row} {name}", former, latter)


def compare_scores(old: object, new: object, row: str, check: Check) -> None:
    """Compare the probabilities of every class."""
    before, after = dict(cast("Record", old or {})), dict(cast("Record", new or {}))
    for name in before | after:
        check.near(f"{row} {name}", before.get(name), after.get(name), SCORE_TOLERANCE)


def compare_reasons(old: object, new: object, row: str, checks: Checks) -> None:
    """Compare features and values exactly, effects to a tolerance, words as text."""
    before, after = cast("list[Record]", old or []), cast("list[Record]", new or [])
    facts = [[(reason.get("feature"), reason.get("value")) for reason in side] for side in (before, after)]
    checks["reasons"].equal(row, *facts)
    if facts[0] != facts[1]:
        return
    for one, other in zip(before, after, strict=True):
        checks["effects"].near(row, one.get("effect"), other.get("effect"), EFFECT_TOLERANCE)
        former, latter = one.get("words"), other.get("words")
        added = former is None and latter is not None
        checks["class-words" if added else "reason words"].equal(row, former, latter)


def compare_quarantine(old: Path, new: Path, checks: Checks) -> None:
    """Compare bad records as a multiset of reason, column, row, file, value and record; messages apart."""
    before, after = read_records(old), read_records(new)
    for check, columns in (("quarantine", QUARANTINE), ("wording", ("message",))):
        former, latter = (
            Counter(tuple(str(row.get(name)) for name in columns) for row in side) for side in (before, after)
        )
        checks[check].equal("number of rows", len(before), len(after))
        for entry in former | latter:
            checks[check].equal(f"rows with {entry}", former[entry], latter[entry])


def compare_tables(old: Path, new: Path, checks: Checks) -> None:
    """Compare tables column by column: numbers to a tolerance, all else exactly."""
    before, after = (pl.read_parquet(path) if path.exists() else pl.DataFrame() for path in (old, new))
    checks["columns"].equal("columns", before.schema, after.schema)
    checks["rows"].equal("number of rows", len(before), len(after))
    if before.schema != after.schema or len(before) != len(after):
        return
    for name in before.columns:
        differs = before[name].ne_missing(after[name])
        checks["values"].compared += int((~differs).sum())
        for place in differs.arg_true():
            former, latter = before[name][place], after[name][place]
            if before[name].dtype.is_float():
                checks["values"].near(f"{name} of row {place}", former, latter, SCORE_TOLERANCE)
            else:
                checks["values"].equal(f"{name} of row {place}", former, latter)


def flatten(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Give each value in a document with its key, such as `tasks/product/figures/accuracy`."""
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            yield from flatten(inner, f"{path}/{name}" if path else str(name))
    else:
        yield path, value


def compare_reports(old: Path, new: Path, checks: Checks) -> None:
    """Compare the exit status and the JSON document of a command by key."""
    former, latter = ((path / "status").read_text() for path in (old, new))
    errors = (new / "errors.txt").read_text(encoding="utf-8")
    crashed = "Traceback" in errors
    checks["exit status"].add(errors[-200:], former, latter, former != latter or crashed)
    texts = [(path / "report.json").read_text(encoding="utf-8") for path in (old, new)]
    before, after = (dict(flatten(json.loads(text) if text.strip() else {})) for text in texts)
    for key in before | after:
        one, other = before.get(key), after.get(key)
        names = set(key.split("/"))
        if "started" in before and (key.split("/")[0] in CLOCK or key.endswith("/at")):
            continue
        kind = "model-id" if names & IDENTITY else "wording" if names & WORDING else "figures"
        if key not in before and kind == "figures":
            kind = "new-figures"
        far = distance(one, other) if isinstance(one, float) and isinstance(other, float) else 0.0
        far = far / abs(cast("float", one)) if far and one else far
        different = one != other or (key in before) != (key in after)
        checks[kind].add(key, one, other, different and not 0 < far <= FIGURE_TOLERANCE, far)


COMPARE = {"decisions": compare_decisions, "quarantine": compare_quarantine, "table": compare_tables}
