"""The file of aggregates: what it says, and each way in which it may be wrong, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.contracts import Column, Contract
from tallystick.errors import UsageError
from tallystick.solutions.complaints import SOLUTION as COMPLAINTS
from tallystick.solutions.fraud import SOLUTION as FRAUD
from tallystick.streams.aggregates import Aggregates

GOOD = """
lateness: 30s
most: 400
aggregates:
  - name: by_place
    every: 1m
    over: 15m
    by: [place]
    where: amount > 0
    of:
      - count
      - mean  amount
      - share action == "decline"
    anomaly: count
  - name: whole
    every: 1h
    lateness: 5m
    of: [count, std v1]
    anomaly: {of: [std v1, count], season: 1d, past: 6, least: 3, limit: 4.5, trend: 12}
"""


def read(text: str, contract: Contract = FRAUD.contract) -> Aggregates:
    return Aggregates.read(text, contract)


def test_a_file_is_read() -> None:
    first, second = read(GOOD).aggregates
    assert (first.name, first.every, first.over, first.by) == (
        "by_place",
        60_000_000,
        900_000_000,
        ("place",),
    )
    assert [value.text for value in first.of] == ["count", "mean amount", 'share action == "decline"']
    assert (first.currency, first.keys) == ("currency", ("place", "currency"))
    assert first.where is not None
    assert first.where.text == "amount > 0"
    assert (first.lateness, first.most, first.distinct, first.forget) == (30_000_000, 400, 1000, 60)
    assert (first.panes, first.kept) == (15, 18)
    assert first.watch is not None
    assert (first.watch.season, first.watch.kept) == (15, 450)  # windows that do not overlap
    assert (second.lateness, second.forget, second.currency, second.by) == (300_000_000, 60, "", ())
    watch = second.watch
    assert watch is not None
    assert (watch.values, watch.season, watch.past, watch.least) == ((0, 1), 24, 6, 3)
    assert (watch.limit, watch.trend, watch.kept) == (4.5, 12, 144)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("every: 1m", "every: 3m"), ("over: 15m", "over: 5m"), ("by: [place]", "by: [channel]"),
        ("> 0", "> 1"), ("- count\n", "- sum amount\n      - count\n"), ("anomaly: count", "forget: 5m"),
        ("past: 6", "past: 7"),
        ("lateness: 30s", "lateness: 31s"), ("most: 400", "most: 401"), ("limit: 4.5", "limit: 4"),
        ("name: whole", "name: all"), ("most: 400", "most: 400\ndistinct: 7"),
    ],
)  # fmt: skip
def test_the_fingerprint_changes_with_any_word(old: str, new: str) -> None:
    assert old in GOOD
    assert read(GOOD.replace(old, new, 1)).fingerprint != read(GOOD).fingerprint


def test_the_fingerprint_does_not_change_with_layout() -> None:
    other = "# words\n" + GOOD.replace("mean  amount", "mean amount").replace("amount > 0", "amount  >  0")
    assert read(other).fingerprint == read(GOOD).fingerprint


ONE = "aggregates:\n  - name: a\n    every: 1m\n    of: [count]\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("aggregates:\n", 1, "there is none"),
        ("agregates: []\n", 1, 'Did you mean "aggregates"?'),
        (ONE.replace("every: 1m", "every: 1 minute"), 3, "not a length of time"),
        (ONE.replace("every: 1m\n", "every: 1m\n    over: 90s\n"), 4, "whole number of times every"),
        (ONE.replace("every: 1m\n", "every: 1s\n    over: 1d\n"), 4, "at most 2,000 periods"),
        (ONE.replace("    every: 1m\n", ""), 2, '"every" is missing'),
        (ONE.replace("name: a", "name: a b"), 2, "one word"),
        (ONE + ONE.removeprefix("aggregates:\n"), 5, 'the name "a" is taken by the aggregate at line 2'),
        (ONE.replace("[count]", "[counts]"), 4, 'there is no "counts". Did you mean "count"?'),
        (ONE.replace("[count]", "[count amount]"), 4, "count stands alone"),
        (ONE.replace("[count]", "[mean]"), 4, '"mean" of what?'),
        (ONE.replace("[count]", "[]"), 4, "there is nothing in it"),
        (ONE.replace("[count]", "[mean amont]"), 4, 'there is no "amont" for mean. Did you mean "amount"?'),
        (ONE.replace("[count]", "[mean place]"), 4, "place is a category, which has no mean"),
        (ONE.replace("[count]", "[mean label]"), 4, 'there is no "label" for mean'),
        (ONE.replace("[count]", "[distinct v1]"), 4, "v1 is a number, which has no distinct"),
        (ONE.replace("[count]", "[count, mean amount, count]"), 4, '"count" is said twice'),
        (ONE.replace("[count]", "[share amont > 3]"), 4, 'there is no "amont"'),
        (ONE.replace("[count]", "[share known_fraud]"), 4, "known_fraud"),
        (ONE + "    where: amount\n", 5, "neither true nor false"),
        (ONE + "    by: [plac]\n", 5, 'there is no "plac" to group by. Did you mean "place"?'),
        (ONE + "    by: [amount]\n", 5, "amount is a money"),
        (ONE + "    by: [score]\n", 5, 'there is no "score" to group by'),
        (ONE + "    most: 0\n", 5, "a whole number from 1"),
        (ONE + "    most: 1000000\n", 5, "Lower most (below 333,334)"),
        (ONE + "    distinct: many\n", 5, "a whole number from 1 to 100,000"),
        (ONE + "    lateness: 52w\n    most: 10000\n", 6, "Lower most"),
        (ONE + "    anomaly: mean amount\n", 5, '"mean amount" is none of its values'),
        (ONE + "    anomaly: {of: count, season: 90s}\n", 5, "a whole number of times every"),
        (ONE + "    anomaly: {of: count, past: 4, least: 5}\n", 5, "least is more than past"),
        (ONE + "    anomaly: {of: count, limit: 0}\n", 5, "a number above 0"),
        (ONE + "    anomaly: {of: count, limit: nan}\n", 5, "a number above 0"),
        (ONE + "    anomaly: {season: 1d}\n", 5, '"of" is missing'),
        (ONE + "    anomaly: {of: count, trend: 61}\n", 5, "from 3 to 60"),
        (ONE + "    anomaly: []\n", 5, "the list is empty"),
        (ONE + "    forget: -1\n", 5, "not a length of time"),
        (ONE + "    when: amount > 1\n", 5, '"when" is not known here'),
        ("version: 2\n" + ONE, 1, "version must be 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert f"line {line}: " in str(caught.value)
    assert said in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "aggregates.yaml"
    path.write_text(ONE.replace("1m", "soon") + "    by: [plac]\n    most: x\n", encoding="utf-8")
    with pytest.raises(UsageError, match="3 things are wrong") as caught:
        Aggregates.read(path, FRAUD.contract)
    assert str(path) in str(caught.value)
    with pytest.raises(UsageError, match="cannot be read"):
        Aggregates.read(tmp_path / "none.yaml", FRAUD.contract)


def test_what_people_write_is_no_name_of_a_group() -> None:
    with pytest.raises(UsageError, match="narrative is what people write"):
        read(ONE + "    by: [narrative]\n", COMPLAINTS.contract)


def test_a_table_without_times_has_no_windows() -> None:
    with pytest.raises(UsageError, match="has no time of events"):
        read(ONE, Contract("things", 1, (Column("place", "category", "Where"),)))


def test_amounts_in_two_currencies_of_their_own_are_parted() -> None:
    contract = Contract("exchange", 1, (
        Column("at", "time", "When"), Column("paid", "money", "Paid", currency="in_what"),
        Column("got", "money", "Got", currency="for_what"), Column("in_what", "category", "Currency"),
        Column("for_what", "category", "Currency"),
    ), event_time="at")  # fmt: skip
    assert read(ONE.replace("[count]", "[mean paid]"), contract).aggregates[0].currency == "in_what"
    with pytest.raises(UsageError, match="make an aggregate of each"):
        read(ONE.replace("[count]", "[mean paid, mean got]"), contract)
