"""What a state of aggregates keeps, gives out, forgets and refuses to grow beyond."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tallystick.solutions.complaints import SOLUTION as COMPLAINTS
from tallystick.solutions.fraud import SOLUTION as FRAUD
from tallystick.streams.aggregates import Aggregates, AggregateState

SECOND = 1_000_000
TIME = pa.timestamp("us", "UTC")


def read(text: str) -> Aggregates:
    return Aggregates.read(f"aggregates:\n  - {text}\n", FRAUD.contract)


def apply(
    state: AggregateState, seconds: Sequence[float | None], places: Sequence[str | None], **columns: Any
) -> list[dict[str, Any]]:
    """Apply payments at those seconds; return what comes out."""
    times = [None if at is None else round(at * SECOND) for at in seconds]
    found = {"event_time": pa.array(times, TIME), "place": pa.array(places, pa.string())}
    decisions = pa.record_batch({"action": columns.pop("action", ["accept"] * len(times))})
    found |= {name: pa.array(values) for name, values in columns.items()}
    out = state.apply(pa.record_batch(found), decisions)
    return [] if out is None else out.to_pylist()


def short(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["end"].timestamp(), *json.loads(row["keys"]).values(), row["value"]) for row in rows]


def test_a_window_closes_when_a_later_row_is_beyond_the_lateness() -> None:
    state = read("{name: p, every: 10s, by: [place], of: [count], lateness: 5s}").state("UTC", "USD")
    assert apply(state, [1, 9.999999, 10], ["a", "a", "a"]) == []
    assert apply(state, [15], ["b"]) == []  # not yet beyond it
    assert short(apply(state, [15.000001], ["b"])) == [(10, "a", 2)]
    assert apply(state, [3, 12], ["a", "a"]) == []  # the first is late, the second is not
    assert short(apply(state, [26], ["b"])) == [(20, "a", 2), (20, "b", 2)]
    assert state.counts() == {"p": {"rows": 7, "late": 1, "others": 0, "untimed": 0}}
    assert state.number == 3


def test_a_late_row_joins_the_sliding_windows_that_are_open() -> None:
    state = read("{name: p, every: 10s, over: 30s, of: [count]}").state("UTC", "USD")
    assert short(apply(state, [1, 12], ["a", "a"])) == [(10, 1)]
    assert apply(state, [2], ["a"]) == []
    assert short(apply(state, [21], ["a"])) == [(20, 3)]
    assert state.counts()["p"]["late"] == 1


def test_rows_without_a_time_join_nothing_and_are_counted() -> None:
    state = read("{name: p, every: 10s, of: [count]}").state("UTC", "USD")
    assert apply(state, [None, None], ["a", "b"]) == []
    assert short(apply(state, [1, None, 2, 11], ["a", "a", "a", "a"])) == [(10, 2)]
    assert state.counts()["p"] == {"rows": 3, "late": 0, "others": 0, "untimed": 3}
    rows = pa.record_batch({"place": ["a"]})  # no column of times at all
    assert state.apply(rows, pa.record_batch({"action": ["accept"]})) is None
    assert state.counts()["p"]["untimed"] == 4
    assert state.apply(rows.slice(0, 0), pa.record_batch({"action": pa.array([], pa.string())})) is None


def test_groups_beyond_the_bound_are_one_and_places_become_free() -> None:
    declared = read("{name: p, every: 10s, by: [place], most: 2, of: [count, sum amount]}")
    state = declared.state("UTC", "USD")
    amounts, codes = [100, 200, 300, 400, 500], ["USD", "USD", "USD", "JPY", "USD"]
    first = apply(state, [1, 2, 3, 4, 5], list("abcde"), amount=amounts, currency=codes)
    assert first == []
    out = apply(state, [11, 12], ["c", "a"], amount=[7, 7], currency=["USD", "USD"])
    said = [(row["keys"], row["other"], row["value"]) for row in out if row["value_name"] == "sum amount"]
    assert said == [
        ('{"place":"a","currency":"USD"}', False, 1.0),
        ('{"place":"b","currency":"USD"}', False, 2.0),
        ('{"currency":"USD"}', True, 8.0),
        ('{"currency":"JPY"}', True, 400.0),
    ]
    assert state.counts()["p"]["others"] == 4  # three and c, which came before b was forgotten
    out = apply(state, [21, 22, 31], ["c", "c", "c"], amount=[1, 1, 1], currency=["USD"] * 3)
    assert [(row["keys"], row["other"]) for row in out if row["value_name"] == "count"] == [
        ('{"place":"a","currency":"USD"}', False),
        ('{"currency":"USD"}', True),
        ('{"place":"c","currency":"USD"}', False),  # b's place was free
    ]
    again = declared.load(state.arrays(), "UTC", "USD")
    later = ([41, 42, 51], ["d", "e", "f"])
    assert apply(again, *later, amount=[1, 2, 3]) == apply(state, *later, amount=[1, 2, 3])


def test_a_silent_group_says_nought_until_it_is_forgotten() -> None:
    state = read("{name: p, every: 10s, by: [place], of: [count, mean amount], forget: 20s}").state(
        "UTC", "USD"
    )
    out = apply(state, [1, 11, 21, 31, 41, 51], ["a", "b", "b", "b", "b", "b"], amount=[5] * 6)
    said = [(row["end"].timestamp(), row["value"]) for row in out if '"a"' in row["keys"]]
    assert said == [(10, 1), (10, 0.05), (20, 0), (20, None), (30, 0), (30, None)]
    assert all(row["rows"] == 0 for row in out if row["value"] is None)


def test_a_long_silence_of_the_stream_costs_no_more_than_what_is_forgotten() -> None:
    state = read("{name: p, every: 1s, by: [place], of: [count], anomaly: count}").state("UTC", "USD")
    apply(state, [1], ["a"])
    out = apply(state, [3_000_000_000], ["a"])  # 95 years of seconds
    assert [row["value"] for row in out] == [1] + [0] * 60


def test_nothing_grows_with_the_stream() -> None:
    text = (
        "{name: p, every: 1m, over: 5m, by: [customer_id], most: 50, distinct: 10, anomaly: count, "
        "of: [count, distinct place, mean amount]}"
    )
    state = read(text).state("UTC", "USD")
    random = np.random.default_rng(1)
    sizes = []
    for step in range(300):
        at = np.sort(random.uniform(step * 60, step * 60 + 60, 200))
        names = [f"C{i}" for i in random.integers(step * 7, step * 7 + 500, 200)]
        places = [f"P{i}" for i in random.integers(0, 1_000, 200)]
        apply(state, at.tolist(), places, customer_id=names, amount=random.integers(0, 9999, 200))
        sizes.append(sum(array.nbytes for array in state.arrays().values()))
    assert max(sizes[150:]) <= 1.1 * max(sizes[20:150])
    assert state.counts()["p"]["others"] > 1000


def test_a_distinct_count_at_its_bound_says_so() -> None:
    state = read("{name: p, every: 10s, of: [distinct place], distinct: 3}").state("UTC", "USD")
    out = apply(state, [1, 2, 3, 4, 5, 11, 12, 13, 21], ["a", "b", None, "c", "a", "a", "b", "c", "x"])
    assert [(row["value"], row["exact"]) for row in out] == [(3, True), (3, True)]
    out = apply(state, [22, 23, 24, 31], ["b", "c", "d", "e"])
    assert [(row["value"], row["exact"]) for row in out] == [(3, False)]


def test_what_is_in_no_row_is_said() -> None:
    state = read("{name: p, every: 10s, over: 20s, by: [place], of: [count], most: 1}").state("UTC", "USD")
    assert state.notes() == []
    apply(state, [1, 2, 11], ["a", "b", "a"])
    beyond = "p: records of groups beyond 1, together in one: 1."
    still = (
        "p: windows that end after 1970-01-01 00:00:10 UTC are open; each is given out when a later record "
    )
    assert state.notes() == [beyond, still + "closes it."]
    apply(state, [31, 5, None], ["a", "a", "a"])
    late, still, untimed = state.notes()[0], state.notes()[2], state.notes()[3]
    assert late == "p: records after a window of theirs was closed: 1."
    assert "after 1970-01-01 00:00:30 UTC" in still
    assert untimed == "Aggregates: records without a time, in no window: 1."


def test_where_nothing_is_open_nothing_is_said() -> None:
    state = read("{name: p, every: 10s, of: [count], where: amount > 5}").state("UTC", "USD")
    apply(state, [1, 2], ["a", "b"], amount=[1, 2])
    assert state.notes() == []


def test_decisions_and_their_routes_group_and_count() -> None:
    declared = Aggregates.read(
        "aggregates:\n  - {name: p, every: 1h, by: [label, department, priority, model, task, action], "
        'of: [count, mean score, share priority == "high", share late]}\n',
        COMPLAINTS.contract,
    )
    state = declared.state("UTC", "USD")
    rows = pa.record_batch({"received_at": pa.array([0, 1, 2, 3_600 * SECOND + 1], TIME)})
    route = [{"department": "Cards", "priority": "high"}] * 2 + [None] * 2
    decisions = pa.record_batch(
        {
            "task": ["product"] * 4,
            "label": ["Mortgage", "Mortgage", None, "Mortgage"],
            "score": [0.5, 0.75, None, 1.0],
            "action": ["auto"] * 4,
            "route": pa.array(route, pa.struct([("department", pa.string()), ("priority", pa.string())])),
            "model": ["m1"] * 4,
            "late": [True, False, False, False],
        }
    )
    out = state.apply(rows, decisions)
    assert out is not None
    found = [(json.loads(row["keys"]), row["value_name"], row["value"]) for row in out.to_pylist()]
    first = {"label": "Mortgage", "department": "Cards", "priority": "high", "model": "m1", "task": "product",
             "action": "auto"}  # fmt: skip
    second = first | dict.fromkeys(("label", "department", "priority"))
    names = ("count", "mean score", 'share priority == "high"', "share late")
    values = ((2, 0.625, 1, 0.5), (1, None, 0, 0))
    assert found == [
        (key, name, value)
        for key, said in zip((first, second), values, strict=True)
        for name, value in zip(names, said, strict=True)
    ]


def test_columns_that_are_not_there_are_unknown() -> None:
    state = read(
        "{name: p, every: 10s, by: [channel, department], of: [count, sum amount, distinct device, "
        'share device == "x", share night, share not device == "x", min v1]}'
    ).state("UTC", "USD")
    out = apply(state, [1, 11], ["a", "a"])
    assert {row["keys"] for row in out} == {'{"channel":null,"department":null,"currency":"USD"}'}
    assert [row["value"] for row in out] == [1, None, 0, 0, 1, 1, None]


def test_zones_decide_what_night_is() -> None:
    declared = read("{name: p, every: 1h, of: [share night]}")
    for zone, night in (("UTC", 1.0), ("America/New_York", 0.0)):
        out = apply(declared.state(zone, "USD"), [3600.5, 7300], ["a", "a"])
        assert [row["value"] for row in out] == [night]


def test_weeks_begin_on_mondays_and_days_at_midnight() -> None:
    for every, start in (("1w", "1970-01-05T00:00:00+00:00"), ("1d", "1970-01-07T00:00:00+00:00")):
        state = read(f"{{name: p, every: {every}, of: [count]}}").state("UTC", "USD")
        out = apply(state, [6.5 * 86_400, 99 * 86_400], ["a", "a"])
        assert out[0]["start"].isoformat() == start


def test_long_names_of_groups_are_cut() -> None:
    state = read("{name: p, every: 10s, by: [place], of: [count]}").state("UTC", "USD")
    out = apply(state, [1, 2, 11], ["x" * 500, "x" * 400, "y"])
    assert [(len(json.loads(row["keys"])["place"]), row["value"]) for row in out] == [(200, 2)]


def test_an_aggregate_that_was_changed_begins_anew_and_others_go_on() -> None:
    first = "aggregates:\n  - {name: p, every: 10s, of: [count]}\n  - {name: q, every: 10s, of: [count]}\n"
    state = Aggregates.read(first, FRAUD.contract).state("UTC", "USD")
    apply(state, [1, 2], ["a", "a"])
    changed = first.replace("q, every: 10s", "q, every: 10s, where: amount > 0")
    again = Aggregates.read(changed, FRAUD.contract).load(state.arrays(), "UTC", "USD")
    assert [(row["name"], row["value"]) for row in apply(again, [3, 11], ["a", "a"], amount=[1, 1])] == [
        ("p", 3),
        ("q", 1),
    ]
    other = Aggregates.read(first, FRAUD.contract).load(state.arrays(), "UTC", "EUR")
    assert [row["value"] for row in apply(other, [3, 11], ["a", "a"])] == [1, 1]


def test_windows_of_several_aggregates_come_in_the_order_in_which_rows_closed_them() -> None:
    text = "aggregates:\n  - {name: p, every: 20s, of: [count]}\n  - {name: q, every: 10s, of: [count]}\n"
    state = Aggregates.read(text, FRAUD.contract).state("UTC", "USD")
    out = apply(state, [1, 11, 21, 31, 41], ["a"] * 5)
    assert [(row["name"], row["end"].timestamp()) for row in out] == [
        ("q", 10), ("p", 20), ("q", 20), ("q", 30), ("p", 40), ("q", 40),
    ]  # fmt: skip


def test_as_many_decisions_as_rows() -> None:
    state = read("{name: p, every: 10s, of: [count]}").state("UTC", "USD")
    with pytest.raises(ValueError, match="2 rows came with 1"):
        apply(state, [1, 2], ["a", "a"], action=["accept"])


@pytest.mark.parametrize("solution", [FRAUD, COMPLAINTS], ids=lambda one: one.name)
def test_the_examples_of_the_solutions_work(solution: Any) -> None:
    import tallystick.solutions as folder

    path = next(iter(folder.__path__)) + f"/{solution.name}/aggregates.yaml"
    declared = Aggregates.read(path, solution.contract)
    state = declared.state("UTC", "USD")
    given = {solution.contract.event_time: pa.array(np.arange(40) * 86_400 * SECOND // 2, TIME)}
    decisions = pa.record_batch({"label": ["A", "B"] * 20, "action": ["accept", "review"] * 20})
    out = state.apply(pa.record_batch(given), decisions)
    assert out is not None
    assert set(out["name"].to_pylist()) == {one.name for one in declared.aggregates}
    assert len(declared.fingerprint) == 64


def test_rows_that_are_not_wanted_move_the_time_and_nothing_else() -> None:
    state = read("{name: p, every: 10s, by: [place], of: [count], where: amount > 5}").state("UTC", "USD")
    out = apply(state, [1, 2, 3, 11, 4], ["a", "a", "b", "a", "a"], amount=[600, 500, 100, 1, 1])
    assert short(out) == [(10, "a", 1)]
    assert state.counts()["p"] == {"rows": 1, "late": 0, "others": 0, "untimed": 0}


def test_an_amount_that_is_unknown_is_neither_more_nor_less() -> None:
    state = read("{name: p, every: 10s, of: [share amount < 5, share amount >= 5, min amount]}")
    out = apply(state.state("UTC", "JPY"), [1, 2, 3, 11], ["a"] * 4, amount=[None, 4, 6, 0])
    assert [row["value"] for row in out] == [1 / 3, 1 / 3, 4]


def test_groups_keep_their_order_over_a_snapshot() -> None:
    declared = read("{name: p, every: 10s, by: [place], of: [count]}")
    state = declared.state("UTC", "USD")
    apply(state, [1, 2, 3, 11, 21], ["a", "b", "c", "d", "d"])  # three places became free
    again = declared.load(state.arrays(), "UTC", "USD")
    later = ([22, 23, 31], ["e", "f", "g"])
    assert apply(again, *later) == apply(state, *later)
