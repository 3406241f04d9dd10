import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import DataError
from tallystick.evaluation.backtest import ALL_RULES, BOTH, MODEL, backtest

#         allow  burst  high
HITS = [
    [1, 0, 0],  # good, flagged by the model: the allow list spares it
    [1, 1, 0],  # good, and the burst behind the allow list does not count
    [1, 0, 0],  # a fraud that the allow list lets through
    [0, 1, 1],  # a fraud that only the rules see
    [0, 1, 0],  # good
    [0, 0, 1],  # a fraud that both see
    [0, 0, 0],  # a fraud that only the model sees
    [0, 1, 0],  # not known
]
TRUTH = [0, 0, 1, 1, 0, 1, 1, np.nan]
MODEL_FLAGS = [1, 0, 1, 0, 0, 1, 1, 0]
AMOUNT = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
NAMES = ["allow", "burst", "high"]
ACTIONS = ["accept", "review", "decline"]


def test_each_rule_all_rules_the_model_and_both() -> None:
    entries = backtest(HITS, TRUTH, MODEL_FLAGS, AMOUNT, names=NAMES, actions=ACTIONS)
    assert [entry["rule"] for entry in entries] == [*NAMES, ALL_RULES, MODEL, BOTH]
    keys = list(entries[0])[2:]
    table = {entry["rule"]: [entry[key] for key in keys] for entry in entries}
    assert keys == [
        *("hits", "decides", "frauds", "unknown", "precision", "recall", "amount"),
        *("adds_hits", "adds_frauds", "adds_amount"),
    ]
    assert table == {
        "allow": [3, 3, 1, 0, 1 / 3, 0.25, 4.0, -2, -1, -4.0],
        "burst": [4, 3, 1, 1, 1 / 3, 0.25, 8.0, 4, 1, 8.0],
        "high": [2, 1, 2, 0, 1.0, 0.5, 40.0, 1, 1, 8.0],
        ALL_RULES: [4, 4, 2, 1, 2 / 3, 0.5, 40.0, 1, 0, 4.0],
        MODEL: [4, None, 3, 0, 0.75, 0.75, 100.0, 0, 0, 0.0],
        BOTH: [5, None, 3, 1, 0.75, 0.75, 104.0, 1, 0, 4.0],
    }


def test_what_cannot_be_told_is_none() -> None:
    entries = backtest(np.zeros((2, 1)), [0, 0], [0, 0])
    assert entries[0]["rule"] == "rule 1"
    assert entries[0]["action"] == "review"
    for entry in entries:
        assert entry["precision"] is entry["recall"] is entry["amount"] is entry["adds_amount"] is None
    assert backtest([[1]], [np.nan], [0])[0]["precision"] is None
    assert [entry["hits"] for entry in backtest(np.zeros((0, 1)), [], [])] == [0, 0, 0, 0]
    assert [entry["rule"] for entry in backtest(np.zeros((2, 0)), [0, 1], [1, 1])] == [ALL_RULES, MODEL, BOTH]


def test_values_are_plain() -> None:
    for entry in backtest(HITS, TRUTH, MODEL_FLAGS, [*AMOUNT[:-1], np.nan], names=NAMES, actions=ACTIONS):
        for value in entry.values():
            assert value is None or type(value) in (str, int, float)


def test_lengths_must_agree() -> None:
    with pytest.raises(DataError, match="same records"):
        backtest(HITS, TRUTH[1:], MODEL_FLAGS)
    with pytest.raises(DataError, match="same records"):
        backtest(HITS, TRUTH, MODEL_FLAGS, AMOUNT[1:])
    with pytest.raises(DataError, match="same records"):
        backtest([1, 0], [1, 0], [1, 0])
    with pytest.raises(DataError, match="3 rules, 1 names"):
        backtest(HITS, TRUTH, MODEL_FLAGS, names=["a"])


@given(st.data())
def test_both_is_what_the_order_of_the_rules_says(data: st.DataObject) -> None:
    rows, rules = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    bits = st.lists(st.booleans(), min_size=rows, max_size=rows)
    hits = np.array([data.draw(bits) for _ in range(rules)]).T
    truth, model = data.draw(bits), data.draw(bits)
    actions = data.draw(st.lists(st.sampled_from(ACTIONS), min_size=rules, max_size=rules))
    both = []
    for row in range(rows):
        flag = model[row]
        for rule in range(rules):
            if hits[row, rule]:
                flag = actions[rule] != "accept"
                break
        both.append(flag)
    entry = backtest(hits, truth, model, actions=actions)[-1]
    assert entry["hits"] == sum(both)
    assert entry["frauds"] == sum(f and t for f, t in zip(both, truth, strict=True))
    assert entry["adds_hits"] == sum(both) - sum(model)
