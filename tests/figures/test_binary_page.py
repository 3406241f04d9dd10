"""The page on a binary task: each part that the report has, and nothing that it lacks."""

from __future__ import annotations

import copy
import json
import re

import pytest

from tallystick.evaluation import sections
from tallystick.evaluation.binary_sections import binary_sections
from tallystick.evaluation.binary_tables import (
    confusion_table,
    detection_table,
    effect_table,
    money_table,
    rules_table,
    scenario_table,
    threshold_table,
    weeks_table,
)
from tallystick.evaluation.binary_words import binary_outcome, held_out_words
from tallystick.figures import draw
from tallystick.figures.binary_scores import event_scores
from tallystick.figures.theme import powers
from tallystick.jobs.pages import evaluation_page
from tallystick.report import Chart, Nouns
from tallystick.solutions.fraud.nouns import NOUNS as FRAUD

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
KINDS = (
    *(
        "headline",
        "money",
        "precision_recall",
        "roc",
        "event_scores",
        "reliability",
        "kinds",
        "weeks",
        "days",
    ),
    *("quality", "rules"),
)


def blocks(found):
    for section in found:
        yield from section.blocks
        yield from blocks(section.sections)


def chart(report, kind, nouns=FRAUD):
    """The chart of a kind among the sections of a report, drawn."""
    return draw(next(b for b in blocks(sections(report, nouns)) if isinstance(b, Chart) and b.kind == kind))


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def report():
    money = {"fraud": 500.0, "stopped": 300.0, "missed": 200.0, "disturbed": 90.0, "review_cost": 20.0}
    money |= {"decline_cost": 5.0, "cost": 225.0, "cost_without": 500.0, "saved": 275.0}
    shares = {"precision": 0.5, "recall": 0.75, "f1": 0.6, "false_positive_rate": 0.006}
    rule = {"rule": "burst", "action": "review", "hits": 9, "decides": 8, "frauds": 4, "unknown": 0}
    rule |= {"precision": 4 / 9, "recall": 0.5, "amount": 120.0}
    rule |= {"adds_hits": 3, "adds_frauds": -1, "adds_amount": -10.0}
    day = {"days": 1, "rows": 500, "events": 4, "alerts": 5, "declined": 1, "found": 3, "recall": 0.75}
    day |= {"precision": 0.5, "average_precision": 0.6, "card_precision": 0.03}
    quiet = {"precision": None, "recall": None, "average_precision": None}
    spread = {"median": 0.0, "mean": 12.5, "p90": 40.0}
    return {
        "task": "fraud",
        "target": "binary",
        "rows": 1000,
        "events": 8,
        "average_precision": 0.62,
        "roc_auc": 0.9,
        "card_precision_at_100": 0.03,
        **shares,
        "accuracy": 0.99,
        "balanced_accuracy": 0.87,
        "log_loss": 0.03,
        "brier": 0.006,
        "ece": 0.002,
        "yes_from": 0.2,
        "confusion": {"classes": ["no", "yes"], "counts": [[986, 6], [2, 6]]},
        "recall_at": [{"false_positive_rate": 0.001, "recall": 0.5, "threshold": 0.6}],
        "intervals": {"average_precision": [0.5, 0.7], "precision": [0.3, 0.6]},
        "level": 0.95,
        "rounds": 100,
        "groups": 90,
        "baseline": {"share": 0.008, "average_precision": 0.008, "roc_auc": 0.5, "accuracy": 0.992},
        "thresholds": {
            "review": {"threshold": 0.2, "wanted": "alerts_per_day=5", "flagged": 12, "flagged_per_day": 6.0}
            | shares,
            "decline": {"threshold": None, "wanted": "precision=.99", "flagged": 0, "flagged_per_day": 0.0}
            | dict.fromkeys(shares)
            | {"recall": 0.0, "false_positive_rate": 0.0},
            "together": {
                **{"days": 2, "alerts": 12, "alerts_per_day": 6.0, "declined": 0, "declined_per_day": 0.0},
                **shares,
            },
            "expected": None,
            "notes": ["No score gives precision=.99."],
        },
        "costs": {"review_cost": 5.0, "good_declined_share": 0.1, "caught_share": 1},
        "money": {"EUR": money, "USD": money | {"fraud": 700.0}},
        "by_scenario": [
            *({"scenario": "one", "events": 2, "found": 0, "recall": 0.0, "declined": 0, "roc_auc": 0.7},),
            *({"scenario": "card_testing", "events": 6, "found": 6, "recall": 1.0, "declined": 0},),
        ],
        "over_time": [{"day": "2025-01-01", **day}, {"day": "2025-01-02", **day, **quiet}],
        "detection": {
            **{"cards": 5, "detected": 4, "share": 0.8, "hours": spread, "frauds_before": spread},
            **{"amount_before": 70.0, "frauds_undetected": 1},
        },
        "distribution": {"edges": [0.0, 0.5, 1.0], "no": [991, 1], "yes": [3, 5]},
        "reliability": [{"low": 0.0, "high": 0.1, "rows": 990, "score": 0.01, "accuracy": 0.002}],
        "curves": {
            "precision_recall": [{"recall": 0.5, "precision": 0.8, "threshold": 0.6}],
            "roc": [{"false_positive_rate": 0.001, "recall": 0.5, "threshold": 0.6}],
        },
        "selective_labels": {"known": False, "note": "The rows do not say which payments were declined."},
        "oracle": {"average_precision": 0.78, "roc_auc": 0.95},
        "split": {"kind": "prequential", "weeks": 2},
        "weeks": [
            {"from": "2025-01-01", "rows": 500, "events": 4, "average_precision": 0.6, "roc_auc": 0.9},
            {"from": "2025-01-08", "rows": 1500, "events": 4, "average_precision": None, "roc_auc": None},
        ],
        "left_out": {"no is_fraud yet": 40},
        "rules": [rule, rule | {"rule": "rules and model", "action": None, "decides": None}],
    }


@pytest.fixture
def bare(report):
    """What is left where there are no times, no cards, no amounts, no thresholds and no probabilities."""
    none = ("thresholds", "money", "by_scenario", "over_time", "detection", "reliability", "oracle", "split")
    gone = ("rules", "weeks", "left_out", "groups")
    kept = {name: value for name, value in report.items() if name not in gone}
    losses = dict.fromkeys(("log_loss", "brier", "ece", "card_precision_at_100"))
    return kept | dict.fromkeys(none) | losses | {"task": "anomaly", "target": "anomaly"}


def titles(text):
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", text)


def test_the_lead_says_where_thresholds_were_chosen_on_the_same_scores(report):
    assert "With the chosen thresholds" in binary_outcome(report, FRAUD)
    report["thresholds"]["in_sample"] = True
    assert "On the scores that the thresholds were chosen on, " in binary_outcome(report, FRAUD)


def test_the_lead_says_what_came_out_in_plain_words(report):
    words = plain(binary_outcome(report, FRAUD))
    assert words.startswith("Of 1,000 payments, 8 (0.8 %) were frauds.")
    assert "Average precision is 0.620 (95 % interval 0.500 to 0.700); a random order" in words
    assert "the best that can be expected is 0.780" in words
    assert "75.0 % of the frauds are flagged, and 50.0 % of what is flagged is fraud, 6.0 to look at" in words
    assert "300 EUR of 500 EUR would be stopped. 300 USD of 700 USD would be stopped." in words
    assert "Of 1,000 loans, 8 (0.8 %) were events" in plain(binary_outcome(report, Nouns(records="loans")))


def test_every_part_of_the_report_has_its_place(report):
    text = evaluation_page({"tasks": {"fraud": report}}, FRAUD, title="Fraud", facts={"Model": "m"})
    assert titles(text) == [
        *("Figures", "Alerts and their costs", "Ranking", "Scores", "Kinds", "Over time"),
        *("Detection delay", "Rules beside the model", "Unknown outcomes"),
    ]
    said = plain(text)
    for words in ("The oracle knows", "How the payments were held out: prequential", "40 no is_fraud yet"):
        assert words in said
    for words in ("90 cards", "No score gives precision=.99.", "means over the 2 weeks", "Brier score"):
        assert words in said
    assert text.count("data-chart=") == 11
    held = re.search(r'<script type="application/json" id="report">(.*?)</script>', text)[1]
    assert json.loads(held) == {"tasks": {"fraud": report}}


def test_what_is_not_there_leaves_no_hole(bare):
    text = evaluation_page({"tasks": {"anomaly": bare}}, FRAUD)
    assert titles(text)[1:] == ["Alerts and their costs", "Ranking", "Scores", "Unknown outcomes"]
    assert "they are no probabilities" in text
    assert "No threshold was chosen" in text
    assert "Log loss" not in text
    assert "Oracle" not in text


def test_a_report_without_an_event_still_makes_a_page(report):
    figures = ("average_precision", "roc_auc", "precision", "recall", "f1", "balanced_accuracy")
    report |= dict.fromkeys(figures) | {"events": 0, "intervals": {}, "by_scenario": [], "money": None}
    report["curves"] = {"precision_recall": [], "roc": []}
    report["thresholds"]["together"] |= {"recall": None, "precision": None}
    report["thresholds"]["review"] |= {"recall": None, "precision": None}
    report["recall_at"][0] |= {"recall": None, "threshold": None}
    report["confusion"]["counts"] = [[1000, 0], [0, 0]]
    text = evaluation_page({"tasks": {"fraud": report}}, FRAUD)
    assert "Without frauds there is nothing to find" in text
    assert "0 (–)" in text
    assert "There is no task with a true label" in evaluation_page({"tasks": {}}, Nouns())


def test_two_tasks_have_a_section_each(report, bare):
    text = evaluation_page({"tasks": {"fraud": report, "anomaly": bare}}, FRAUD)
    assert titles(text) == ["Task: fraud", "Task: anomaly"]
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", KINDS)
def test_every_axis_has_a_label_and_the_report_stays_as_it_was(kind, report):
    before = copy.deepcopy(report)
    figure = chart(report, kind)
    assert report == before
    axes = [value for name, value in figure.to_plotly_json()["layout"].items() if name[1:].startswith("axis")]
    assert len(axes) >= 2
    assert all(axis["title"]["text"] for axis in axes)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("headline", {"points": []}),
        ("money", {"money": {}}),
        ("precision_recall", {"report": {}}),
        ("roc", {"report": {}}),
        ("event_scores", {"distribution": {"edges": [0, 1], "no": [0], "yes": [0]}}),
        ("reliability", {"bins": []}),
        ("kinds", {"kinds": []}),
        ("weeks", {"weeks": [], "figures": {}}),
        ("days", {"days": []}),
        ("quality", {"days": []}),
        ("rules", {"rules": []}),
    ],
)
def test_nothing_is_said_in_words(kind, data):
    figure = draw(Chart(kind, data, ""))
    assert not figure.data
    assert len(figure.layout.annotations[0].text.split()) > 3


def figures(report):
    return binary_sections(report, FRAUD)[0].blocks[1]


def test_the_headline_stands_between_chance_and_oracle(report):
    measured, chance, best = chart(report, "headline").data
    assert measured.x[:2] == (0.62, 0.9)
    assert measured.error_x.array[0] == pytest.approx(0.08)
    assert measured.error_x.array[1] == 0  # no interval, no bar
    assert chance.x == (0.008, 0.5)
    assert best.x == (0.78, 0.95)
    assert figures(report).rows[0][1:5] == ["0.620", "0.500 to 0.700", "0.008", "0.780"]
    assert "Oracle" not in figures(report | {"oracle": None}).header


def test_a_mean_outside_of_its_interval_draws_no_bar_backwards(report):
    report["intervals"]["average_precision"] = [0.65, 0.7]
    assert chart(report, "headline").data[0].error_x.arrayminus[0] == 0


def test_thresholds_are_marked_where_they_do_something(report):
    assert [trace.name for trace in chart(report, "roc").data] == ["Model", "By chance", "Review threshold"]
    assert chart(report, "precision_recall").data[2].x == (0.75,)
    assert [line.x0 for line in chart(report, "event_scores").layout.shapes] == [0.2]
    assert threshold_table(report, FRAUD).rows == [
        ["Looked at by a person", "alerts_per_day=5", "0.2000", "6.0"],
        ["Declined", "precision=.99", "never", "0"],
    ]
    rows = [[plain(cell) for cell in row] for row in effect_table(report, FRAUD).rows]
    assert rows[0] == ["Review (alone)", "12", "6.0", "50.0 %", "75.0 %", "0.6 %"]
    assert rows[2][0] == "Together: 12 looked at, 0 declined"


def test_money_stays_in_its_currency(report):
    assert money_table(report, FRAUD).header == ["Sum", "EUR", "USD"]
    assert [plain(cell) for cell in money_table(report, FRAUD).rows[0][1:]] == ["500 EUR", "700 USD"]
    assert chart(report, "money").data[0].x == (300.0, 300.0)
    assert "Missed" in [trace.name for trace in chart(report, "money").data]


def test_rare_events_are_seen_beside_common_ones(report):
    figure = event_scores(report["distribution"], event="fraud")
    assert figure.layout.yaxis.type == "log"
    assert [bars.y for bars in figure.data] == [(991, 1), (3, 5)]
    assert powers("Rows", 12_000_000)["ticktext"] == ["1", "100", "10,000", "1,000,000"]


def test_kinds_are_sorted_and_those_never_found_are_there(report):
    assert chart(report, "kinds").data[1].x == (6, 0)
    assert chart(report, "kinds").layout.yaxis.ticktext == ("card testing", "one")
    assert scenario_table(report, FRAUD).rows[1][2:4] == ["0", "0\N{NO-BREAK SPACE}%"]


def test_weeks_and_days_show_their_gaps(report):
    assert chart(report, "quality").data[0].y == (0.6, None)
    assert chart(report, "days").data[1].y == (3, 3)
    assert weeks_table(report, FRAUD).rows[1] == ["2025-01-08", "1,500", "4", "–", "–"]
    assert "oracle" not in "".join(weeks_table(report, FRAUD).header)
    report["weeks"][0]["oracle"] = {"average_precision": 0.7}
    assert weeks_table(report, FRAUD).rows[0][-1] == "0.700"


def test_detection_is_told_in_words(report):
    rows = dict(detection_table(report["detection"], FRAUD).rows)
    assert rows["Frauds missed before it"] == "median 0, mean 12.5, 90th percentile 40.0"
    none = {"cards": 0, "detected": 0, "share": None, "frauds_undetected": 0}
    assert len(detection_table(none, FRAUD).rows) == 3


def test_what_a_rule_takes_away_is_negative(report):
    table = rules_table(report, FRAUD, "EUR")
    row = table.rows[0]
    assert table.header[-1] == "Adds amount, EUR"
    assert [plain(cell) for cell in row[-3:]] == ["+3", "\N{MINUS SIGN}1", "\N{MINUS SIGN}10"]
    assert chart(report, "rules").data[1].x == (5, 5)


def test_confusion_is_in_shares_of_what_happened(report):
    assert plain(confusion_table(report, FRAUD).rows[1][2]) == "6 (75.0 %)"
    assert held_out_words({}, FRAUD) == ""


def test_no_name_becomes_markup(report):
    report["task"] = EVIL
    report["by_scenario"][0]["scenario"] = report["rules"][0]["rule"] = report["split"]["kind"] = EVIL
    report["thresholds"]["review"]["wanted"] = report["left_out"][EVIL] = EVIL
    report["left_out"][EVIL] = 3
    report["money"] = {EVIL: report["money"]["EUR"]}
    text = evaluation_page(
        {"tasks": {EVIL: report, "x": report}}, Nouns(records=EVIL), title=EVIL, facts={EVIL: EVIL}
    )
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "<img" not in outside
    assert "alert(1)" in outside
    scripts = re.findall(r"<script(?: type=\"([^\"]*)\")?", text)
    assert len([kind for kind in scripts if not kind]) == 2
    for kind in ("kinds", "rules", "money"):
        assert "<img" not in json.dumps(chart(report, kind).to_plotly_json())
