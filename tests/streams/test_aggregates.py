"""Aggregates of a stream against plain recomputations, and against themselves in other batches."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.contracts import Column, Contract
from tallystick.streams.aggregates import Aggregates, AggregateState

SECOND = 1_000_000
START = 1_700_000_000 * SECOND  # no whole minute
CONTRACT = Contract(
    "payments",
    1,
    (
        Column("at", "time", "When"),
        Column("place", "category", "Where"),
        Column("device", "category", "By what"),
        Column("amount", "money", "How much", currency="currency"),
        Column("currency", "category", "In what"),
        Column("weight", "number", "A number"),
        Column("items", "integer", "A whole number"),
        Column("night_shift", "flag", "A flag"),
    ),
    event_time="at",
)
FILE = """
lateness: {lateness}
most: {most}
distinct: {distinct}
aggregates:
  - name: all
    every: 10s
    over: {over}
    of: [count, sum items, share action == "decline", distinct device]
  - name: by_place
    every: 10s
    over: {over}
    by: [place, action]
    of: [count, sum amount, mean amount, min amount, max amount, std amount, sum weight, mean items,
         share amount > 20 and action != "accept", distinct device]
    forget: {forget}
    anomaly: {{of: [count, mean amount], past: 5, least: 3}}
  - {{name: some, every: 20s, by: [department, night_shift, items], where: amount > 5,
     of: [count, mean score]}}
"""
ROW = st.fixed_dictionaries(
    {
        "step": st.sampled_from([0, 0, 1, 1, 2, 3, 7, 15, 40, 200, -1, -3, -9, -25]),
        "place": st.sampled_from(["Oslo", "Kyiv", "Lagos", None]),
        "device": st.sampled_from(["a", "b", "c", "d", None]),
        "amount": st.sampled_from([None, 0, -250, 501, 2_000, 10**15, 123_456_789_012_345]),
        "currency": st.sampled_from(["USD", "JPY", "USD", None]),
        "weight": st.sampled_from([None, 0.1, 0.2, 0.3, -7.7, 1e300, 1e-9]),
        "items": st.sampled_from([None, 0, 1, 2**62, -(2**63), 7]),
        "night_shift": st.sampled_from([True, False, None]),
        "action": st.sampled_from(["accept", "review", "decline"]),
        "department": st.sampled_from(["Cards", "Legal", None]),
        "score": st.sampled_from([0.1, 0.2, 0.7, None]),
        "timed": st.sampled_from([True] * 9 + [False]),
    }
)
ROWS = st.lists(ROW, max_size=60)
DECLARED = st.builds(
    lambda **said: Aggregates.read(FILE.format(**said), CONTRACT),
    lateness=st.sampled_from(["0", "5s", "25s"]),
    over=st.sampled_from(["10s", "40s"]),
    most=st.sampled_from([2, 5, 1000]),
    distinct=st.sampled_from([1, 2, 1000]),
    forget=st.sampled_from(["0", "30s", "200s"]),
)


def timed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each row the time that its step leads to; None where it has none."""
    now, found = START, []
    for row in rows:
        now += row["step"] * SECOND + 137
        found.append({**row, "at": now if row["timed"] else None})
    return found


def arrow(rows: list[dict[str, Any]]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Write rows as clean rows and their decisions."""
    taken = {
        column.name: pa.array([row[column.name] for row in rows], column.arrow) for column in CONTRACT.columns
    }
    route = pa.array(
        [{"department": row["department"]} for row in rows], pa.struct([("department", pa.string())])
    )
    decisions = {
        "action": pa.array([row["action"] for row in rows], pa.string()),
        "score": pa.array([row["score"] for row in rows], pa.float64()),
        "route": route,
    }
    return pa.record_batch(taken), pa.record_batch(decisions)


def run(state: AggregateState, rows: list[dict[str, Any]], cuts: list[int]) -> list[dict[str, Any]]:
    """Apply rows in batches that end at the cuts; return all that comes out."""
    found: list[dict[str, Any]] = []
    bounds = [0, *sorted({cut % (len(rows) + 1) for cut in cuts}), len(rows)]
    for start, stop in pairwise(bounds):
        out = state.apply(*arrow(rows[start:stop]))
        if out is not None:
            assert out.schema == Aggregates.schema
            assert len(out) > 0
            found += out.to_pylist()
    return found


def same(one: AggregateState, other: AggregateState) -> None:
    mine, theirs = one.arrays(), other.arrays()
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


@settings(max_examples=30)
@given(DECLARED, ROWS, st.lists(st.integers(0, 60), max_size=8), st.integers(0, 60))
def test_batches_and_snapshots_do_not_matter(
    declared: Aggregates, rows: list[dict[str, Any]], cuts: list[int], pause: int
) -> None:
    rows = timed(rows)
    one, other = declared.state("UTC", "EUR"), declared.state("UTC", "EUR")
    at_once = run(one, rows, [])
    pause %= len(rows) + 1
    before = run(other, rows[:pause], cuts)
    again = declared.load(other.arrays(), "UTC", "EUR")
    assert again.arrays().keys() == other.arrays().keys()
    assert before + run(again, rows[pause:], cuts) == at_once
    assert again.counts() == one.counts()
    assert again.notes() == one.notes()
    one_by_one = declared.state("UTC", "EUR")
    assert run(one_by_one, rows, list(range(len(rows)))) == at_once
    same(one_by_one, one)
    assert [row["number"] for row in at_once] == list(range(1, len(at_once) + 1))


def windows_of(rows: list[dict[str, Any]], every: int, over: int) -> dict[tuple[int, tuple[Any, ...]], Any]:
    """Put rows into the windows that they lie in, plainly."""
    found = defaultdict(list)
    for row in rows:
        end = row["at"] // every * every + every
        while end - over <= row["at"]:
            key = (row["place"], row["action"], row["currency"] or "EUR")
            found[end, key].append(row)
            end += every
    return found


def minor(row: dict[str, Any]) -> int:
    return 1 if row["currency"] == "JPY" else 100


@settings(max_examples=40)
@given(ROWS, st.sampled_from([10, 40]))
def test_rows_in_order_give_what_a_plain_recomputation_gives(rows: list[dict[str, Any]], over: int) -> None:
    rows = sorted((row for row in timed(rows) if row["at"]), key=lambda row: row["at"])
    text = FILE.format(lateness="0", most=1000, distinct=1000, over=f"{over}s", forget=0)
    declared = Aggregates.read(text, CONTRACT)
    far = {**(rows[-1] if rows else {}), "at": START + 10**12, "place": "nowhere"}  # closes all before it
    found = run(declared.state("UTC", "EUR"), [*rows, far] if rows else [], [3, 9])
    mine = defaultdict(dict)
    for row in found:
        if row["name"] == "by_place":
            keys = json.loads(row["keys"])
            assert list(keys) == ["place", "action", "currency"]
            end = row["end"].timestamp() * 1_000_000
            mine[round(end), tuple(keys.values())][row["value_name"]] = row["value"]
            assert (row["end"] - row["start"]).total_seconds() == over
    plain = windows_of(rows, 10 * SECOND, over * SECOND)
    assert mine.keys() == plain.keys()
    for key, inside in plain.items():
        amounts = [row["amount"] for row in inside if row["amount"] is not None]
        unit = minor(inside[0])
        said = mine[key]
        assert said["count"] == len(inside)
        items = [row["items"] for row in inside if row["items"] is not None]
        assert said["mean items"] == (float(Fraction(sum(items), len(items))) if items else None)
        assert said["distinct device"] == len({row["device"] for row in inside} - {None})
        if not amounts:
            assert (
                said["sum amount"] is said["mean amount"] is said["min amount"] is said["std amount"] is None
            )
            continue
        assert said["sum amount"] == float(Fraction(sum(amounts), unit))  # rounded once, exact before
        assert said["mean amount"] == float(Fraction(sum(amounts), unit * len(amounts)))
        assert (said["min amount"], said["max amount"]) == (min(amounts) / unit, max(amounts) / unit)
        if len(amounts) > 1:
            spread = statistics.stdev(amounts) / unit
            assert said["std amount"] == pytest.approx(spread, rel=1e-9, abs=1e-6)
        large = [row for row in inside if (row["amount"] or 0) / unit > 20 and row["action"] != "accept"]
        assert said['share amount > 20 and action != "accept"'] == len(large) / len(inside)


@settings(max_examples=50)
@given(ROWS)
def test_rows_in_order_give_what_polars_gives(rows: list[dict[str, Any]]) -> None:
    rows = sorted((row for row in timed(rows) if row["at"]), key=lambda row: row["at"])
    if not rows:
        return
    text = (
        "aggregates:\n  - {name: p, every: 10s, over: 40s, by: [place], "
        'of: [count, sum weight, mean score, min items, share action == "decline"]}\n'
    )
    declared = Aggregates.read(text, CONTRACT)
    found = run(declared.state("UTC", "USD"), [*rows, {**rows[-1], "at": START + 10**12}], [5])
    frame = pl.DataFrame(
        {
            "at": pl.Series([row["at"] for row in rows], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            "place": pl.Series([row["place"] for row in rows], dtype=pl.String),
            "weight": pl.Series([row["weight"] for row in rows], dtype=pl.Float64),
            "items": pl.Series([row["items"] for row in rows], dtype=pl.Int64),
            "score": pl.Series([row["score"] for row in rows], dtype=pl.Float64),
            "declined": [row["action"] == "decline" for row in rows],
        }
    )
    starts = [pl.col("at").dt.truncate("10s").dt.offset_by(f"-{back}s") for back in (30, 20, 10, 0)]
    each = pl.concat([frame.with_columns(start=start) for start in starts])
    plain = each.group_by("start", "place", maintain_order=True).agg(
        pl.len().alias("count"),
        pl.when(pl.col("weight").count() > 0).then(pl.col("weight").sum()).alias("sum weight"),
        pl.col("score").mean().alias("mean score"),
        pl.col("items").min().cast(pl.Float64).alias("min items"),
        pl.col("declined").mean().alias('share action == "decline"'),
    )
    wanted = {(row["start"], row["place"]): row for row in plain.to_dicts()}
    mine: dict[Any, dict[str, Any]] = defaultdict(dict)
    for row in found:
        mine[row["start"], json.loads(row["keys"])["place"]][row["value_name"]] = row["value"]
    assert mine.keys() == wanted.keys()
    for key, said in mine.items():
        for name, value in said.items():
            expected = wanted[key][name]
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)), name


@given(ROWS, st.sampled_from([0, 5, 25]), st.sampled_from([1, 4]), st.sampled_from([0, 3, 20]))
def test_late_rows_join_open_windows_alone(
    rows: list[dict[str, Any]], lateness: int, panes: int, forget: int
) -> None:
    """One row at a time, with dictionaries: what closes, what is late, which groups are forgotten."""
    rows = [row for row in timed(rows) if row["at"]]
    text = (
        f"lateness: {lateness}s\naggregates:\n  - {{name: p, every: 10s, over: {10 * panes}s, by: [place], "
        f"of: [count], forget: {10 * forget}s}}\n"
    )
    state = Aggregates.read(text, CONTRACT).state("UTC", "USD")
    mine = [
        (round(row["end"].timestamp()), json.loads(row["keys"])["place"], row["value"])
        for row in run(state, rows, [2, 11, 12, 30])
    ]
    every = 10 * SECOND
    said, late, joined = [], 0, 0
    windows: dict[int, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    seen: dict[Any, int] = {}
    newest = closed = None
    for row in rows:
        newest = row["at"] if newest is None else max(newest, row["at"])
        if closed is None:
            closed = (newest - lateness * SECOND - 1) // every
        while (closed + 1) * every + lateness * SECOND < newest:
            closed += 1
            counts = windows.pop(closed, {})
            seen |= dict.fromkeys(counts, closed)
            for place, last in seen.items():
                if place in counts or closed - last <= forget:
                    said.append((closed * 10, place, counts.get(place, 0)))
            seen = {place: last for place, last in seen.items() if closed - last < forget or place in counts}
        ends = range(row["at"] // every + 1, row["at"] // every + 1 + panes)
        late += ends[0] <= closed
        joined += ends[-1] > closed
        for end in ends:
            if end > closed:
                windows[end][row["place"]] += 1
    order = {place: i for i, place in enumerate(["Oslo", "Kyiv", "Lagos", None])}
    assert sorted(mine, key=lambda m: (m[0], order[m[1]])) == sorted(said, key=lambda m: (m[0], order[m[1]]))
    assert [end for end, *_ in mine] == sorted(end for end, *_ in mine)
    assert state.counts()["p"] == {"rows": joined, "late": late, "others": 0, "untimed": 0}


@settings(max_examples=50)
@given(ROWS, st.randoms(use_true_random=False))
def test_disorder_within_the_lateness_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    rows = sorted((row for row in timed(rows) if row["at"]), key=lambda row: row["at"])
    near = sorted(rows, key=lambda row: row["at"] + random.randrange(20 * SECOND))
    text = (
        "lateness: 20s\naggregates:\n  - {name: p, every: 10s, over: 30s, by: [place], forget: 50s, "
        "of: [count, sum amount, mean items, max amount, distinct device], anomaly: [count, mean items]}\n"
    )
    declared = Aggregates.read(text, CONTRACT)
    far = [{**rows[-1], "at": START + 10**12}] if rows else []
    first, second = (run(declared.state("UTC", "USD"), [*order, *far], [7]) for order in (rows, near))
    if rows and near[0]["at"] // (10 * SECOND) != rows[0]["at"] // (10 * SECOND):
        return  # windows before the first row's time and lateness do not exist for it

    def key(row: dict[str, Any]) -> Any:
        return row["end"], row["keys"], row["value_name"]

    first, second = ([{**row, "number": 0} for row in sorted(found, key=key)] for found in (first, second))
    assert first == second
