"""The oracle: Bayes' rule written out over all that may have happened says the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tallystick.errors import DataError
from tallystick.evaluation import average_precision
from tallystick.evaluation.days import DAY
from tallystick.solutions.fraud.oracle import SURE, _filtered, oracle_scores

RATE, LENGTH, DAYS = 0.2, 2, 5


def by_hand(day, known, settled, hidden, row):
    """Sum over every set of days on which a run may have begun: the chance that one is on at `row`."""
    inside = total = 0.0
    for begun in itertools.product((False, True), repeat=DAYS):
        chance = np.prod([RATE if b else 1 - RATE for b in begun])
        on = [any(begun[max(0, d - LENGTH + 1) : d + 1]) for d in range(DAYS)]
        for seen in range(row):
            if on[day[seen]]:
                chance *= settled[seen] if known[seen] else hidden[seen]
        total += chance
        inside += chance * on[day[row]]
    return inside / total


@pytest.mark.parametrize("seed", range(20))
def test_the_filter_is_bayes_rule(seed):
    rng = np.random.default_rng(seed)
    n = 7
    time = np.sort(rng.integers(0, DAYS * DAY, n))
    day = time // DAY
    day[0] = 0
    settled = rng.choice([0.2, 1.0, 5.0], n)
    hidden = rng.choice([0.5, 1.0, 2.0], n)
    delay = 2 * DAY
    found = _filtered(np.zeros(n, np.int64), time, day, settled, hidden, RATE, LENGTH, delay)
    for row in range(n):
        expected = by_hand(day, time <= time[row] - delay, settled, hidden, row)
        assert found[row] == pytest.approx(expected, abs=1e-9)


def test_days_without_payments_pass_as_one():
    """A long gap at once is the same as day by day."""
    time = np.array([0, 40]) * DAY
    one = np.ones(2)
    found = _filtered(np.zeros(2, np.int64), time, time // DAY, one * SURE, one, 0.01, 28, 7 * DAY)
    assert found[1] == pytest.approx(1 - 0.99**28, abs=1e-9)


def simulated(seed=0, days=90, terminals=300, cards=300, each=10):
    """The Handbook's three scenarios, small."""
    rng = np.random.default_rng(seed)
    n = cards * each * days // 10
    time = np.sort(rng.integers(0, days * DAY, n))
    card, terminal = rng.integers(0, cards, n), rng.integers(0, terminals, n)
    mean = rng.uniform(5, 100, cards)[card]
    amount = np.round(np.abs(rng.normal(mean, mean / 2)), 2)
    day, scenario = time // DAY, np.full(n, None, object)
    scenario[amount > 220] = "1"
    for today in range(days):
        hit = terminal == rng.integers(terminals)
        scenario[hit & (day >= today) & (day < today + 28) & (rng.random() < 0.3)] = "2"
    for today in range(0, days, 3):
        hit = (card == rng.integers(cards)) & (day >= today) & (day < today + 14) & (rng.random(n) < 1 / 3)
        amount[hit] *= 5
        scenario[hit] = "3"
    return time, card, terminal, amount, scenario != np.full(n, None, object), scenario


def test_its_probabilities_are_right():
    parts = []
    for seed in range(6):
        time, card, terminal, amount, truth, scenario = simulated(seed)
        score = oracle_scores(time, card, terminal, amount, truth, scenario)
        late = time > 40 * DAY
        parts.append((score[late], truth[late]))
        assert (score[scenario == "1"] == 1).all()
    score, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
    for low, high, within in ((0, 0.02, 0.003), (0.02, 0.4, 0.04), (0.4, 0.9, 0.15), (0.9, 1.01, 0.01)):
        some = (score >= low) & (score < high)
        assert some.sum() > 50
        assert truth[some].mean() == pytest.approx(score[some].mean(), abs=within)


def test_a_shorter_delay_is_worth_more():
    time, card, terminal, amount, truth, scenario = simulated()
    late = time > 40 * DAY
    worth = [
        average_precision(
            truth[late], oracle_scores(time, card, terminal, amount, truth, scenario, delay)[late]
        )
        for delay in (30, 7, 0)
    ]
    assert worth == sorted(worth)
    assert worth[2] - worth[0] > 0.1


def test_a_label_inside_the_delay_moves_no_chance():
    time, _, terminal, _, _, scenario = simulated(1)
    day = time // DAY
    run = scenario == "2"
    settled = np.where(run, SURE, 1 / SURE)
    one, at = np.ones(len(time)), 60 * DAY
    turned = np.where(time > at - 7 * DAY, 1 / settled, settled)
    found = _filtered(terminal, time, day, settled, one, 0.001, 28, 7 * DAY)
    again = _filtered(terminal, time, day, turned, one, 0.001, 28, 7 * DAY)
    assert (found[time <= at] == again[time <= at]).all()
    assert (found[time > at] != again[time > at]).any()


def test_the_names_and_the_order_of_rows_do_not_matter():
    time, card, terminal, amount, truth, scenario = simulated(2, days=40)
    names = {"1": "high_amount", "2": "compromised_terminal", "3": "compromised_customer"}
    ours = np.array([names.get(name) for name in scenario], object)
    numbers = np.array([0 if name is None else int(name) for name in scenario], object)
    expected = oracle_scores(time, card, terminal, amount, truth, scenario)
    assert (oracle_scores(time, card, terminal, amount, truth, ours) == expected).all()
    assert (oracle_scores(time, card, terminal, amount, truth, numbers) == expected).all()
    back = slice(None, None, -1)
    turned = oracle_scores(time[back], card[back], terminal[back], amount[back], truth[back], scenario[back])
    apart = np.abs(turned[back] - expected)
    assert apart.max() < 1e-9


def test_refunds_at_a_compromised_terminal_do_not_end_its_run():
    time, card, terminal, amount, truth, scenario = simulated(3, days=60)
    expected = oracle_scores(time, card, terminal, amount, truth, scenario)
    refunds = np.arange(0, len(time), 3)
    amount[refunds] = -10.0
    truth, scenario = truth.copy(), scenario.copy()
    truth[refunds], scenario[refunds] = False, None
    found = oracle_scores(time, card, terminal, amount, truth, scenario)
    late = (time > 30 * DAY) & (scenario == "2")
    assert found[refunds].max() == 0
    assert found[late].mean() > expected[late].mean() - 0.1


def test_it_is_silent_where_nothing_says_how_fraud_is_made():
    columns = ([0, DAY], [0, 0], [0, 1], [10.0, 900.0])
    assert oracle_scores(*columns, [False, True], None) is None
    assert oracle_scores(*columns, [False, True], [None, "card_testing"]) is None
    assert oracle_scores(*columns, [False, False], [None, "1"]) is None
    with pytest.raises(DataError, match="differ in length"):
        oracle_scores(*columns, [False], [None, "1"])
