"""One table of targets: each report has an outcome in words, sections, and a card."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from tallystick.errors import UsageError
from tallystick.evaluation import (
    TARGETS,
    Thresholds,
    amount_report,
    anomaly_report,
    classification_report,
    event_report,
    outcome_words,
    render_card,
    report_sections,
    sections,
    segments_report,
    with_policy,
)
from tallystick.report import Nouns, Section, Table

RNG = np.random.default_rng(0)
TRUTH = RNG.random(300) < 0.2
SCORE = np.clip(RNG.random(300) * 0.6 + TRUTH * 0.4, 0, 1)
CHANCE = np.column_stack([1 - SCORE, SCORE])
TWO = Thresholds(0.5, 0.8, "recall=.8", "precision=.9", {"alerts_per_day": 2.0, "declined_per_day": 0.5})
SPLIT = {"kind": "random"}
REPORTS = {
    "classes": classification_report("kind", TRUTH.astype(int), CHANCE, ["a", "b"], split=SPLIT, rounds=20),
    "binary": event_report("event", TRUTH, SCORE, thresholds=TWO, split=SPLIT, rounds=20),
    "anomaly": anomaly_report("odd", SCORE, thresholds=TWO, split=SPLIT),
    "judged": anomaly_report("odd", SCORE, TRUTH, thresholds=TWO, split=SPLIT, rounds=20),
    "amount": amount_report("loss", SCORE * 90, SCORE * 80 + 3, split=SPLIT, rounds=20),
    "segments": segments_report("group", CHANCE, matrix=CHANCE, split=SPLIT),
}
NOUNS = Nouns(record="call", records="calls", event="sale", events="sales", is_event="a sale")


def tables(found: list[Section]) -> list[Table]:
    return [block for section in found for block in section.blocks if isinstance(block, Table)]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_told_in_the_solutions_words(name: str) -> None:
    report = REPORTS[name]
    before = copy.deepcopy(report)
    words = outcome_words(report, NOUNS)
    assert "300 calls" in words
    assert "record" not in words
    found = sections(report, NOUNS)
    assert len({section.name for section in found}) == len(found) >= 2
    assert report == before
    for table in tables(found):
        assert all(len(row) == len(table.header) == len(table.alignment) for row in table.rows), table.caption


@pytest.mark.parametrize("name", REPORTS)
def test_narrow_media_show_a_part_of_it(name: str) -> None:
    report = REPORTS[name]
    brief = sections(report, NOUNS, brief=True)
    assert [section.name for section in brief if section.name in TARGETS[report["target"]].brief]
    assert len(brief) <= len(sections(report, NOUNS))
    assert any(table.brief is not None and table.rows for table in tables(brief))


def test_one_task_stands_alone_and_several_have_a_section_each() -> None:
    lead, alone = report_sections({"event": REPORTS["binary"]}, NOUNS)
    assert lead == outcome_words(REPORTS["binary"], NOUNS)
    assert alone[0].name == "figures"
    _, both = report_sections({"event": REPORTS["binary"], "loss": REPORTS["amount"]}, NOUNS)
    assert [section.title for section in both] == ["Task: event", "Task: loss"]
    assert report_sections({}, NOUNS)[1] == []


def test_a_target_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match='target "clases"'):
        outcome_words({"target": "clases"}, NOUNS)


def test_the_figures_of_a_bundle_with_its_policy_are_a_report() -> None:
    figures = {key: REPORTS["binary"][key] for key in ("target", "rows", "events", "recall", "baseline")}
    report = with_policy(figures, TWO.to_dict())
    [table] = [one for one in tables(sections(report, NOUNS)) if one.caption == "Thresholds"]
    assert table.rows == [
        ["Looked at by a person", "recall=.8", "0.5000", "2.0"],
        ["Stopped", "precision=.9", "0.8000", "0.50"],
    ]
    chosen = {"threshold": 0.9, "automation": 0.5, "accuracy": 0.95, "wanted": "accuracy 0.95"}
    assert "50.0" in outcome_words(with_policy(REPORTS["classes"], chosen), NOUNS)
    assert with_policy(figures, {"kind": "none"}) == figures


POLICIES: dict[str, dict[str, Any]] = {
    "thresholds": TWO.to_dict(),
    "abstain": {"threshold": 0.9, "automation": 0.5, "accuracy": 0.95, "wanted": "accuracy 0.95"},
    "never": {"threshold": None, "automation": 0.0, "accuracy": None, "wanted": "accuracy 0.95"},
    "capacity": {"threshold": 0.7, "share": 0.1},
    "bands": {"edges": [0.1, 0.5]},
    "none": {},
}
POINTS = {
    "thresholds": "- stopped from a score of 0.8 (precision=.9)",
    "abstain": "- decided without a person from a probability of 0.900: 50.0% of rows, 95.0% of them right",
    "never": "- no probability is high enough to decide without a person as accurately as wanted",
    "capacity": "- flagged from a score of 0.7 (capacity=0.1)",
    "bands": "- bands that begin at scores of 0.1, 0.5",
    "none": "",
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", REPORTS)
def test_every_target_has_a_card_with_every_policy(name: str, policy: str) -> None:
    report = REPORTS[name]
    manifest: dict[str, Any] = {
        "solution": "calls", "task": report["task"], "target": report["target"],
        "contract": {"name": "calls", "version": 1},
        "learner": {"name": "kmeans"}, "features": {"count": 3, "words": "3 numbers"},
        "training": {"rows": 300, "from": None, "until": None, "left_out": {}, "data": "f" * 64, "seed": 1,
                     "split": "5 folds"},
        "figures": {key: report[key] for key in report.keys() - {"target", "threshold", "thresholds"}},
        "policy": {"kind": policy, **POLICIES[policy]},
    }  # fmt: skip
    text = render_card(manifest, "For tests.", "Not for people.", NOUNS)
    assert text.startswith(f"# calls: {report['task']}\n\nFor tests.\n")
    assert "On 300 rows" in text
    assert "None" not in text
    assert "| --- |" in text
    assert POINTS[policy] in text.splitlines()
    for words in outcome_words(report, NOUNS), outcome_words(with_policy(report, POLICIES[policy]), NOUNS):
        assert "None" not in words
