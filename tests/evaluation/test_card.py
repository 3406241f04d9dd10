"""The card of an event task: what the manifest says, in words, with nothing in place of what is not there."""

import copy
from typing import Any

import pytest

from tallystick.evaluation import render_card
from tallystick.evaluation.binary_sections import binary_figures
from tallystick.solutions.fraud.nouns import NOUNS

MANIFEST: dict[str, Any] = {
    "solution": "fraud", "task": "fraud",
    "contract": {"name": "fraud", "version": 1},
    "learner": {"name": "gradient_boosting"},
    "features": {"count": 1234, "words": "5 numbers, 1229 of behaviour in windows"},
    "training": {
        "rows": 1_234_567, "events": 8_910, "from": "2025-01-01T00:00:00Z", "until": "2025-03-01T00:00:00Z",
        "left_out": {"no is_fraud yet": 1_200, "no time": 0}, "data": "f" * 64, "seed": 7, "split": "5 folds",
    },
    "figures": {
        "target": "binary", "events": 120,
        "rows": 98_765, "average_precision": 0.71234, "roc_auc": 0.9, "card_precision_at_100": None,
        "intervals": {"average_precision": [0.7, 0.72]},
    },
    "policy": {"review": 0.123456, "review_wanted": "alerts_per_day=100",
               "decline": 0.9, "decline_wanted": ""},
}  # fmt: skip


def card(**changed: Any) -> str:
    manifest = copy.deepcopy(MANIFEST)
    for name, values in changed.items():
        manifest[name] |= values
    return render_card(manifest, "\n Finds frauds. ", "\nNot for people.\n", NOUNS)


def test_it_says_what_it_was_trained_from_and_achieved() -> None:
    text = card()
    assert text.startswith("# fraud: fraud\n\nFinds frauds.\n")
    assert text.endswith("## Not for\n\nNot for people.\n")
    for line in (
        "- 1,234,567 rows, 8,910 of them the event, 2025-01-01T00:00:00Z to 2025-03-01T00:00:00Z",
        "- left out: no is_fraud yet 1,200",
        "- contract fraud version 1",
        f"- data fingerprint `{'f' * 16}`, seed 7",
        "- learner `gradient_boosting` on 1,234 features: 5 numbers, 1229 of behaviour in windows",
        "- looked at by a person from a score of 0.1235 (alerts_per_day=100)",
        "- declined from a score of 0.9",
        "On 98,765 rows, each scored by a model of what was known before it. Calibration and thresholds were "
        "chosen on these same rows; `evaluate` on later ones is free of that.",
        "| Average precision | 0.712 | 0.700 to 0.720 |",
        "| ROC-AUC | 0.900 | – |",
    ):
        assert line in text.splitlines()
    assert "Card precision" not in text  # a figure that is not there is no line
    assert "None" not in text


@pytest.mark.parametrize(
    ("key", "title"), [(key, title) for key, (title, _) in binary_figures(NOUNS).items()]
)
def test_every_figure_has_its_line(key: str, title: str) -> None:
    assert f"| {title} | 0.250 |" in card(figures={key: 0.25, "intervals": {}}).splitlines()


def test_a_threshold_that_no_score_meets_is_said_to_be_none() -> None:
    text = card(policy={"review": None, "decline": None, "decline_wanted": "precision=0.99"})
    assert "- never looked at by a person: no score gives alerts_per_day=100" in text.splitlines()
    assert "- never declined: no score gives precision=0.99" in text.splitlines()


def test_without_times_and_with_nothing_left_out() -> None:
    text = card(training={"from": None, "until": None, "left_out": {}})
    assert "- 1,234,567 rows, 8,910 of them the event, no times to no times" in text.splitlines()
    assert "- left out: none" in text.splitlines()
