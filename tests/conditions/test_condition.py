import contextlib
import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.conditions.condition import DERIVED, Condition
from tallystick.errors import UsageError

PAIR = "customer_id+terminal_id__count__90d"
KINDS = {
    "amount": "number",
    "mean": "number",
    "place": "text",
    "customer_id": "text",
    "terminal_id": "text",
    PAIR: "number",
    "customer_id__count__5m": "number",
    "class": "number",
    "größe": "number",
    "a place": "text",
    "untold": "",
    "known_fraud": "flag",
    "known(is_fraud)": "flag",
    **DERIVED,
}
LISTS = {"good": ["C1", "C2"], "codes": ["4", "7.5"]}
UNKNOWN = np.nan


def holds(text: str, **values: Any) -> list[bool]:
    arrays = {name: array(value) for name, value in values.items()}
    return Condition.parse(text, KINDS, LISTS).holds(arrays).tolist()


def array(values: list[Any]) -> np.ndarray:
    if any(isinstance(value, str) or value is None for value in values):
        return np.array(values, object)
    return np.array(values, np.bool_ if all(isinstance(value, bool) for value in values) else np.float64)


AMOUNTS = [1.0, 2.0, 3.0, UNKNOWN]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount < 2", [True, False, False, False]),
        ("amount <= 2", [True, True, False, False]),
        ("amount > 2", [False, False, True, False]),
        ("amount >= 2", [False, True, True, False]),
        ("amount == 2", [False, True, False, False]),
        ("amount != 2", [True, False, True, False]),
        ("2 > amount", [True, False, False, False]),
        ("2 >= amount", [True, True, False, False]),
        ("2 < amount", [False, False, True, False]),
        ("2 <= amount", [False, True, True, False]),
        ("2 != amount", [True, False, True, False]),
        ("not amount < 2", [False, True, True, True]),
        ("not (amount < 2 or amount > 2)", [False, True, False, True]),
        ("amount == amount", [True, True, True, False]),
        ("amount != amount", [False, False, False, False]),
        ("1 < amount < 3", [False, True, False, False]),
        ("1 <= amount != 3", [True, True, False, False]),
        ("amount in [1, 3]", [True, False, True, False]),
        ("amount not in [1, 3]", [False, True, False, False]),
        ("not amount in [1, 3]", [False, True, False, True]),
        ("amount in (1, 3)", [True, False, True, False]),
        ("amount * 2 - 1 > 2 + 1", [False, False, True, False]),
        ("-amount < -2", [False, False, True, False]),
        ("amount / 2 == .5", [True, False, False, False]),
        ("amount / (amount - 2) > 0", [False, False, True, False]),  # by zero: unknown
        ("amount / (amount - 2) != 3", [True, False, False, False]),
        ("amount < 1e1 and not amount > 2.5", [True, True, False, False]),
        ("amount < 2 or amount > 2 and amount < 3", [True, False, False, False]),
        ("\n  amount\n  < 2 ", [True, False, False, False]),
        ("amount<2", [True, False, False, False]),
        ("(amount < 2) == (amount < 3)", [True, False, True, True]),
    ],
)
def test_numbers(text: str, expected: list[bool]) -> None:
    assert holds(text, amount=AMOUNTS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("place == 'Lagos'", [True, False, False, False]),
        ("place != 'Lagos'", [False, True, True, False]),
        ("'Lagos' != place", [False, True, True, False]),
        ('place in ["Lagos", "Oslo"]', [True, True, False, False]),
        ("place not in ['Lagos', 'Oslo']", [False, False, True, False]),
        ("not place == 'Lagos'", [False, True, True, True]),
        ("place == place", [True, True, True, False]),
        ("place != customer_id", [True, False, False, False]),
        ("place == customer_id", [False, True, False, False]),
        ("customer_id in good", [True, False, False, False]),
        ("customer_id not in good", [False, True, False, True]),
        ("untold == 'x'", [True, False, False, False]),
    ],
)
def test_texts(text: str, expected: list[bool]) -> None:
    given_values = {
        "place": ["Lagos", "Oslo", "lagos", None],
        "customer_id": ["C1", "Oslo", None, "C3"],
        "untold": ["x", "y", None, "X"],
    }
    assert holds(text, **given_values) == expected


@pytest.mark.parametrize(
    ("text", "night", "expected"),
    [
        ("night", [True, False], [True, False]),
        ("not night", [True, False], [False, True]),
        ("night", [1.0, 0.0, UNKNOWN], [True, False, False]),
        ("not night", [1.0, 0.0, UNKNOWN], [False, True, True]),
        ("night", [True, None], [True, False]),
        ("night == true", [True, False], [True, False]),
        ("night != TRUE", [True, False], [False, True]),
        ("false == night", [1.0, UNKNOWN], [False, False]),
        ("night in [true]", [True, False], [True, False]),
        ("night + night == 2", [True, False], [True, False]),
    ],
)
def test_flags(text: str, night: list[Any], expected: list[bool]) -> None:
    values = np.array(night, object) if None in night else array(night)
    assert Condition.parse(text, KINDS).holds({"night": values}).tolist() == expected


def test_names_as_features_have_them() -> None:
    condition = Condition.parse(f"{PAIR} == 0 and customer_id__count__5m >= 8", KINDS)
    assert condition.columns == {PAIR, "customer_id__count__5m"}
    assert Condition.parse(f"{PAIR}+amount > 1", KINDS).columns == {PAIR, "amount"}
    assert Condition.parse("amount+mean > 1", KINDS).columns == {"amount", "mean"}
    assert Condition.parse("1+amount+mean+1 > 1", KINDS).columns == {"amount", "mean"}
    assert Condition.parse(f"`{PAIR}` > 1 and `a place` == 'x'", KINDS).columns == {PAIR, "a place"}
    # A word of Python's own, and letters of more than one byte, are names as others are.
    condition = Condition.parse("größe > 1 and class == 2", KINDS)
    assert condition.holds({"größe": np.array([2.0]), "class": np.array([2.0])}).tolist() == [True]
    assert Condition.parse("place == 'ß' and amount < 1", KINDS).columns == {"place", "amount"}
    assert Condition.parse("place == 'not a `name` < 1'", KINDS).columns == {"place"}


def test_lists_are_read_as_numbers_where_numbers_are() -> None:
    assert holds("amount in codes", amount=[4.0, 7.5, 5.0, UNKNOWN]) == [True, True, False, False]
    assert holds("untold in codes", untold=["4", "4.0", None]) == [True, False, False]
    assert Condition.parse("customer_id in good", KINDS, LISTS).lists == {"good"}


def test_it_asks_for_a_label_only_where_it_says_so() -> None:
    condition = Condition.parse("known(is_fraud) and amount < 220", KINDS)
    assert condition.columns == {"known(is_fraud)", "amount"}
    assert condition.required == {"known(is_fraud)"}
    assert Condition.parse("place == 'known(is_fraud)'", KINDS).columns == {"place"}
    with pytest.raises(UsageError, match=r'there is no "known\(is_fruad\)".*') as caught:
        Condition.parse("known(is_fruad)", KINDS)
    assert 'Did you mean "known(is_fraud)"' in str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["it is empty"]),
        (" \n", ["it is empty"]),
        ("amout < 5", ['no "amout"', 'Did you mean "amount"']),
        ("amount < 5 and plaice == 'x'", ['character 16 ("plaice', 'Did you mean "place"']),
        ("größe < 5 and plaice == 'x'", ["character 15"]),
        ("   plaice == 'x'", ["character 4"]),
        ("place == Lagos", ['no "Lagos"', "in quotes: 'Lagos'"]),
        ("customer_id+terminal_id__count__9d > 1", ['no "customer_id+terminal_id__count__9d"', PAIR]),
        ("`amount` < `amounts`", ['no "amounts"', '"amount"']),
        ("amount = 5", ["character 8", 'Instead of "=" write "=="']),
        ("amount < 5 && night", ['Instead of "&" write "and"']),
        ("amount < 5 || night", ['Instead of "|" write "or"']),
        ("!night", ['Instead of "!" write "not"']),
        ("amount < 5 AND night", ['Instead of "AND" write "and"']),
        ("amount <", ["missing at its end"]),
        ("(amount < 5", ["cannot be read"]),
        ("amount < 'x'", ["is a text"]),
        ("amount == 'x'", ["is a text"]),
        ("place == 5", ["is a text", "Write '5' in quotes"]),
        ("place < 'x'", ["neither more nor less"]),
        ("place + 1 > 2", ["nothing can be reckoned"]),
        ("-place == 2", ["nothing can be reckoned"]),
        ("amount", ["neither true nor false"]),
        ("amount + 1", ["neither true nor false"]),
        ("night and place", ["neither true nor false"]),
        ("true", ["is fixed"]),
        ("night or 'x'", ["is fixed"]),
        ("1 < 2", ["both fixed"]),
        ("3 in [3]", ["is fixed"]),
        ("amount / 0 > (1 / 0)", ["is no number"]),
        ("amount < 1e999", ["too large"]),
        ("place in 'abc'", ["after in comes a list"]),
        ("place in []", ["after in comes a list"]),
        ("place in [amount]", ["either texts in quotes or numbers"]),
        ("place in ['a', 1]", ["either texts in quotes or numbers"]),
        ("place in [1]", ["is a text"]),
        ("amount in ['a']", ["is not a text"]),
        ("amount in good", ["is a number"]),
        ("place in goood", ['no list "goood"', '"good"']),
        ("good == 'C1'", ["is a list", "NAME in good"]),
        ("amount < 5 # why", ["'#' has no meaning"]),
        ("amount \x00 < 5", ["has no meaning"]),
        ("amount ** 2 > 1", ["comparisons and + - * / only"]),
        ("amount % 2 == 1", ["only"]),
        ("amount // 2 == 1", ["only"]),
        ("amount is 5", ["cannot be read"]),
        ("open('x')", ["only"]),
        ("__import__('os').system('x')", ["only"]),
        ("place.upper() == 'X'", ["only"]),
        ("place[0] == 'X'", ["only"]),
        ("[x for x in place]", ["cannot be read"]),
        ("f'{amount}' == place", ["cannot be read"]),
        ("b'x' == place", ["cannot be read"]),
        ("(amount := 5) < 6", ["only"]),
        ("lambda: amount < 5", ["cannot be read"]),
        ("2j < amount", ["cannot be read"]),
        ("{'a': 1} == place", ["only"]),
        ("amount < 5; amount < 6", ["cannot be read"]),
        ("(" * 300 + "amount < 1" + ")" * 300, ["cannot be"]),
        ("not " * 150 + "night", ["nested too deeply"]),
        ("amount < 1 or " * 500 + "night", ["at most 4,000 characters"]),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        Condition.parse(text, KINDS, LISTS)
    for part in parts:
        assert part in str(caught.value)


PIECES = [
    "amount",
    "place",
    "night",
    "nought",
    "good",
    "'x'",
    "==",
    "in",
    "not",
    "and",
    *"'\"`1[]()+-/<=!,é\\:{}f.#",
]


@given(st.lists(st.sampled_from([*PIECES, "\n", "\t"]), max_size=12), st.sampled_from(["", " "]))
def test_any_text_is_a_condition_or_a_usage_error(words: list[str], gap: str) -> None:
    with contextlib.suppress(UsageError):
        Condition.parse(gap.join(words), KINDS, LISTS)


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("known_fraud", {"known_fraud"}),
        ("known_fraud and (night and amount < 220)", {"known_fraud", "night"}),
        ("known_fraud or night", set()),
        ("not known_fraud", set()),
        ("not (known_fraud and night)", set()),
        ("known_fraud == false", set()),
    ],
)
def test_what_it_never_holds_without(text: str, required: set[str]) -> None:
    assert Condition.parse(text, KINDS).required == required


def test_what_is_missing_or_of_another_kind_is_said_when_asked() -> None:
    condition = Condition.parse("untold < 5 and amount == 1", [*KINDS])
    with pytest.raises(UsageError, match="needs amount, which is not there"):
        condition.holds({"untold": np.array([1.0])})
    with pytest.raises(UsageError, match="untold is a text"):
        condition.holds({"untold": np.array(["x"], object), "amount": np.array([1.0])})
    for text in ("untold == 'x'", "untold in ['x']", "untold in good"):
        with pytest.raises(UsageError, match="untold is a number"):
            Condition.parse(text, [*KINDS], LISTS).holds({"untold": np.array([1.0])})
    for text in ("untold", "untold + 1 > 1", "untold in [1]", "untold == amount"):
        with pytest.raises(UsageError, match="untold is a text"):
            Condition.parse(text, [*KINDS]).holds(
                {"untold": np.array(["1"], object), "amount": np.array([1.0])}
            )


def test_it_travels_and_compares_by_what_it_says() -> None:
    condition = Condition.parse("customer_id in good and amount < 2", KINDS, LISTS)
    values = {"amount": np.array([1.0]), "customer_id": np.array(["C1"], object)}
    for again in (pickle.loads(pickle.dumps(condition)), copy.deepcopy(condition)):
        assert again == condition
        assert again.holds(values).tolist() == [True]


COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMBERS = st.sampled_from([UNKNOWN, 0.0, -0.0, 1.0, 2.5, -3.0, np.inf]) | st.floats()


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40),
    st.sampled_from(sorted(COMPARISONS)),
    st.sampled_from(["mean", "2.5", "mean * 2 - 1"]),
)
def test_a_row_alone_is_as_among_many_and_as_plain_python_has_it(
    rows: list[tuple[float, float]], sign: str, right: str
) -> None:
    condition = Condition.parse(f"amount {sign} {right}", KINDS)
    amount, mean = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    together = condition.holds({"amount": amount, "mean": mean})
    assert together.dtype == np.bool_
    for i, (x, m) in enumerate(rows):
        alone = condition.holds({"amount": amount[i : i + 1], "mean": mean[i : i + 1]})
        y = {"mean": m, "2.5": 2.5}.get(right, m * 2 - 1)
        known = x == x and y == y
        assert alone.tolist() == [together[i]] == [known and COMPARISONS[sign](x, y)]
