"""What thresholds do: counted by hand on a few payments."""

from __future__ import annotations

import pytest

from tallystick.errors import UsageError
from tallystick.evaluation import Costs, outcome

TRUTH = [True, True, True, False, False, False]
SCORE = [0.95, 0.6, 0.1, 0.9, 0.6, 0.2]
AMOUNT = [100.0, 40.0, 10.0, 60.0, 20.0, -30.0]


def test_money_is_counted_by_what_happens_to_each_payment():
    costs = Costs(review_cost=2, good_declined_share=0.5, good_declined_fixed=1, caught_share=0.75)
    found = outcome(TRUTH, SCORE, 2, AMOUNT, 0.5, 0.9, costs)
    assert (found["alerts"], found["declined"], found["alerts_per_day"]) == (2, 2, 1.0)
    assert (found["precision"], found["recall"], found["decline_precision"]) == (0.5, 2 / 3, 0.5)
    assert found["money"] == {
        "fraud": 150.0,
        "stopped": 130.0,  # 100 declined, three quarters of the 40 that a person looked at
        "missed": 20.0,
        "disturbed": 80.0,
        "review_cost": 4.0,
        "decline_cost": 31.0,  # half of 60, and 1
        "cost": 55.0,
        "cost_without": 150.0,
        "saved": 95.0,
    }


def test_without_thresholds_nothing_happens():
    found = outcome(TRUTH, SCORE, None, AMOUNT, None, None)
    assert (found["alerts"], found["declined"], found["alerts_per_day"]) == (0, 0, None)
    assert found["precision"] is None
    assert found["money"]["saved"] == 0.0
    assert outcome(TRUTH, SCORE, None, None, 0.5, None)["money"] is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"review_cost": -1}, "between 0 and inf"),
        ({"caught_share": 1.5}, "between 0 and 1"),
        ({"review_costs": 1}, 'Did you mean "review_cost"'),
        ({"review_cost": "much"}, "not a number"),
    ],
)
def test_costs_that_make_no_sense_are_refused(values, said):
    with pytest.raises(UsageError) as caught:
        Costs.of(values)
    assert said in str(caught.value)
    assert Costs.of(Costs().to_dict()) == Costs()
