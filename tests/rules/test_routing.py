import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import UsageError
from tallystick.rules.routing import ROUTE, Routing

HEAD = """version: 1
default: {department: Desk, priority: normal, due: 15 days}
rules:
"""
FULL = (
    HEAD
    + """
  - name: none
    when: {product: none}
    then: {department: Manual}
  - name: words
    when: {product: [Mortgage, Credit card], words: foreclosure, no words: [thanks]}
    then: {department: Homes, priority: urgent, due: 1 business day}
  - name: tags
    when: {tags: [Older American, Servicemember], amount: at least 1000}
    then: {priority: high}
  - name: unsure
    when: {certainty: below .5}
    then: {due: 4 hours}
  - name: state
    when: {state: [NO, none], action: review}
    then: {due: none}
"""
)
CONTEXT: dict[str, Any] = {
    "label": "product", "columns": ["product", "state", "tags"], "several": ["tags"],
}  # fmt: skip


def load(rules: str, **context: Any) -> Routing:
    return Routing.load(HEAD + rules, **{**CONTEXT, **context})


def one(routing: Routing, **given: Any) -> dict[str, Any]:
    """Route one row, given as plain values."""
    kinds = {"score": pa.float64(), "amount": pa.int64(), "received_at": pa.timestamp("us", "UTC")}
    own = ("label", "score", "amount", "received_at", "narrative")
    arrays = {name: pa.array([given[name]], kinds.get(name, pa.string())) for name in own if name in given}
    arrays.setdefault("narrative", pa.array([None], pa.string()))
    columns = {name: pa.array([value], pa.string()) for name, value in given.items() if name not in own}
    (route,) = routing.apply(**arrays, columns=columns).to_pylist()
    return dict(route)


@pytest.mark.parametrize(
    ("given_row", "rule"),
    [
        ({}, "none"),
        ({"label": "Mortgage", "narrative": "FORECLOSURE!"}, "words"),
        ({"label": " mortgage", "narrative": "foreclosure"}, "words"),
        ({"label": "Mortgage", "narrative": "foreclosure, thanks"}, None),
        ({"label": "Student loan", "narrative": "foreclosure"}, None),
        ({"label": "x", "tags": "Older American, Servicemember", "amount": 100_000}, "tags"),
        ({"label": "x", "tags": "servicemember", "amount": 99_999}, None),
        ({"label": "x", "tags": "Older American"}, None),
        ({"label": "x", "score": 0.4999}, "unsure"),
        ({"label": "x", "score": 0.5}, None),
        ({"label": "x", "score": None, "state": "NO", "action": "review"}, "state"),
        ({"label": "x", "action": "review"}, "state"),
        ({"label": "x", "action": "review", "state": "NY"}, None),
        ({"label": "x", "action": "auto", "state": "NO"}, None),
    ],
)
def test_the_first_rule_that_fits_decides(given_row: dict[str, Any], rule: str | None) -> None:
    routing = Routing.load(FULL, **CONTEXT)
    assert one(routing, **given_row)["rule"] == rule


def test_what_a_rule_leaves_out_is_as_in_the_default() -> None:
    routing = Routing.load(FULL, **CONTEXT)
    monday = datetime(2024, 3, 4, 10, tzinfo=UTC)
    route = one(routing, label="x", tags="Servicemember", amount=500_000, received_at=monday)
    assert route == {
        "department": "Desk",
        "priority": "high",
        "due": datetime(2024, 3, 19, 10, tzinfo=UTC),
        "rule": "tags",
    }
    assert one(routing, label="x", action="review", received_at=monday)["due"] is None
    assert one(routing, label="x")["due"] is None


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("30 minutes", datetime(2024, 3, 1, 23, 30, tzinfo=UTC)),
        ("1 hour", datetime(2024, 3, 2, tzinfo=UTC)),
        ("2 days", datetime(2024, 3, 3, 23, tzinfo=UTC)),
        ("1 week", datetime(2024, 3, 8, 23, tzinfo=UTC)),
        ("1 business day", datetime(2024, 3, 4, 23, tzinfo=UTC)),
        ("6 working days", datetime(2024, 3, 11, 23, tzinfo=UTC)),
    ],
)
def test_due_times_count_from_receipt(due: str, expected: datetime) -> None:
    friday = datetime(2024, 3, 1, 23, tzinfo=UTC)
    routing = load(f"  - {{name: a, when: {{product: x}}, then: {{due: {due}}}}}")
    assert one(routing, label="x", received_at=friday)["due"] == expected


def test_business_days_from_a_weekend_start_on_monday_and_keep_the_zone() -> None:
    rules = "  - {name: a, when: {product: x}, then: {due: 1 business day}}"
    saturday = datetime(
        2024, 3, 9, 3, tzinfo=UTC
    )  # still Friday evening in New York, before the clocks change
    assert one(load(rules), label="x", received_at=saturday)["due"] == datetime(2024, 3, 11, 3, tzinfo=UTC)
    in_new_york = load(rules, zone="America/New_York")
    due = one(in_new_york, label="x", received_at=saturday)["due"]
    assert due == datetime(2024, 3, 12, 2, tzinfo=UTC)  # Monday at the same hour of a clock now put forward


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        ("at least 1,000", [100_000, 10**12], [-1, 0, 99_999]),
        ("over $1000.50", [100_051], [100_050, -1]),
        ("below .5", [0, 49], [50, -1]),
        ("up to 50", [0, 5000], [5001, -1]),
        ("100 to 500", [10_000, 50_000], [9_999, 50_001, -1]),
        ("between 100 and 500", [10_000, 50_000], [9_999, 50_001]),
        ("none", [-1], [0, 1]),
    ],
)
def test_amounts_are_ranges_of_minor_units(span: str, inside: list[int], outside: list[int]) -> None:
    routing = load(f'  - {{name: a, when: {{amount: "{span}"}}, then: {{priority: high}}}}')
    assert [one(routing, amount=value)["rule"] for value in inside] == ["a"] * len(inside)
    assert [one(routing, amount=value)["rule"] for value in outside] == [None] * len(outside)
    assert one(routing, amount=None) == one(routing, amount=-1) == one(routing)


def test_certainty_is_a_share_or_a_percentage_and_may_be_none() -> None:
    for span, score, fits in [
        ("at least 95%", 0.95, True),
        ("at least .95", 0.9499, False),
        (".5 to 80%", 0.8, True),
        ("below 80%", 0.8, False),
        ("none", None, True),
        ("none", float("nan"), True),
        ("none", 0.0, False),
        ("below 1", None, False),
    ]:
        routing = load(f'  - {{name: a, when: {{certainty: "{span}"}}, then: {{priority: high}}}}')
        assert (one(routing, score=score)["rule"] == "a") is fits, (span, score)


def test_without_rules_all_is_default() -> None:
    for text in (HEAD, HEAD.replace("rules:\n", "")):
        routing = Routing.load(text)
        assert routing.apply(narrative=pa.array(["a", None])).field("department").to_pylist() == ["Desk"] * 2
        assert routing.apply(narrative=pa.array([], pa.string())).type == ROUTE


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Mortgage", "x", None]),
        st.sampled_from(["foreclosure", "thanks, foreclosure", "", None]),
        st.sampled_from([None, 0.2, 0.7]),
        st.sampled_from([None, "NO", "NY"]),
        st.sampled_from([None, "Servicemember", "Older American, Servicemember"]),
        st.sampled_from([-1, 0, 100_000]),
        st.sampled_from([None, *(datetime(2024, 3, day, day, tzinfo=UTC) for day in range(1, 9))]),
        st.sampled_from(["auto", "review"]),
    ),
    min_size=1,
    max_size=150,
)


@given(ROWS)
def test_a_row_alone_is_routed_as_in_a_batch(rows: list[tuple[Any, ...]]) -> None:
    routing = Routing.load(FULL, **CONTEXT)
    names = ("label", "narrative", "score", "state", "tags", "amount", "received_at", "action")
    kinds = {"score": pa.float64(), "amount": pa.int64(), "received_at": pa.timestamp("us", "UTC")}
    arrays = {
        n: pa.array(values, kinds.get(n, pa.string()))
        for n, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    columns = {n: arrays.pop(n) for n in ("state", "tags", "action")}
    together = routing.apply(**arrays, columns=columns)
    assert together.type == ROUTE
    chunked = routing.apply(
        **{n: pa.chunked_array([a]) for n, a in arrays.items()},
        columns={n: a.dictionary_encode() for n, a in columns.items()},
    )
    assert chunked.equals(together)
    for place in range(len(rows)):
        alone = routing.apply(
            **{n: a.slice(place, 1) for n, a in arrays.items()},
            columns={n: a.slice(place, 1) for n, a in columns.items()},
        )
        assert alone.equals(together.slice(place, 1))


def test_many_distinct_values_do_not_pile_up() -> None:
    routing = load("  - {name: a, when: {state: s9}, then: {priority: high}}")
    states = pa.array([f"s{i}" for i in range(20_000)])
    rules = routing.apply(narrative=pa.nulls(20_000, pa.string()), columns={"state": states}).field("rule")
    assert rules.to_pylist().index("a") == 9
    assert rules.null_count == 19_999
    assert len(routing._machine.table._questions[0]._answers) <= 8192


def test_travels_small_and_comes_back_the_same() -> None:
    routing = Routing.load(FULL, **CONTEXT)
    before = one(routing, label="Mortgage", narrative="foreclosure")
    back = pickle.loads(pickle.dumps(routing))
    assert back == routing
    assert len(pickle.dumps(routing)) < 5000
    assert one(back, label="Mortgage", narrative="foreclosure") == before
    again = Routing.from_dict(routing.to_dict(), **CONTEXT)
    assert again == routing
    assert again.fingerprint == routing.fingerprint


def test_fingerprint_is_of_the_content() -> None:
    routing = Routing.load(FULL, **CONTEXT)
    assert Routing.load("# a comment\n" + FULL, **CONTEXT).fingerprint == routing.fingerprint
    assert Routing.load(FULL.replace("below .5", "below .6"), **CONTEXT).fingerprint != routing.fingerprint
    routing.to_dict()["rules"].clear()
    assert Routing.load(FULL, **CONTEXT).fingerprint == routing.fingerprint


def test_needs_says_what_the_rules_look_at() -> None:
    assert Routing.load(FULL, **CONTEXT).needs == {
        "product", "words", "tags", "amount", "certainty", "state", "action",
    }  # fmt: skip
    assert Routing.load(HEAD).needs == frozenset()


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'routing file ".*nowhere\.yaml" cannot be read'):
        Routing.load(tmp_path / "nowhere.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        Routing.load(str(tmp_path))


def test_no_rows_get_no_routes() -> None:
    none, no_time = pa.array([], pa.string()), pa.array([], pa.timestamp("us", "UTC"))
    routing = Routing.load(FULL, **CONTEXT)
    routed = routing.apply(
        narrative=none,
        label=none,
        score=pa.array([], pa.float64()),
        amount=pa.array([], pa.int64()),
        received_at=no_time,
        columns={"state": none, "tags": none, "action": none},
    )
    assert (routed.type, len(routed)) == (ROUTE, 0)
