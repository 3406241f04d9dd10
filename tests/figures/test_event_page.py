"""The page on events: each part that the report has, nothing that it lacks, and nothing fetched or run."""

from __future__ import annotations

import copy
import json
import re

import pytest

from tallystick.figures import event_page
from tallystick.figures.event_curves import precision_recall_curve, roc_curve
from tallystick.figures.event_days import days_chart, quality_chart, span_words, weeks_chart, weeks_table
from tallystick.figures.event_headline import event_headline, headline_table
from tallystick.figures.event_kinds import rules_chart, rules_table, scenario_chart, scenario_table
from tallystick.figures.event_scores import event_scores
from tallystick.figures.event_thresholds import confusion_table, money_chart, money_table, threshold_table
from tallystick.figures.event_words import Nouns, event_outcome, held_out_events
from tallystick.figures.reliability import event_reliability
from tallystick.figures.theme import powers

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
FRAUD = Nouns.of("fraud")
CHARTS = (
    event_headline,
    precision_recall_curve,
    roc_curve,
    event_scores,
    event_reliability,
    scenario_chart,
    rules_chart,
    days_chart,
    quality_chart,
    weeks_chart,
    money_chart,
)


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
    return kept | dict.fromkeys(none) | losses | {"task": "anomaly"}


def titles(text):
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", text)


def test_the_lead_says_what_came_out_in_plain_words(report):
    words = plain(event_outcome(report, FRAUD))
    assert words.startswith("Of 1,000 payments, 8 (0.8 %) were frauds.")
    assert "Average precision is 0.620 (95 % interval 0.500 to 0.700); scores that know" in words
    assert "the best that can be expected is 0.780" in words
    assert "75.0 % of the frauds are flagged, and 50.0 % of what is flagged is fraud, 6.0 to look at" in words
    assert "300 EUR of 500 EUR would be stopped. 300 USD of 700 USD would be stopped." in words
    assert "Of 1,000 loans, 8 (0.8 %) were events" in plain(event_outcome(report, Nouns.of("loans")))


def test_every_part_of_the_report_has_its_place(report):
    text = event_page({"tasks": {"fraud": report}}, title="Fraud", records="fraud", facts={"Model": "m"})
    assert titles(text) == [
        *("Figures", "Alerts and what they cost", "Ranking", "Scores", "Kinds", "Over time"),
        *("Detection delay", "Rules beside the model", "What nobody can know"),
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
    text = event_page({"tasks": {"anomaly": bare}}, records="fraud")
    assert titles(text)[1:] == ["Alerts and what they cost", "Ranking", "Scores", "What nobody can know"]
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
    text = event_page({"tasks": {"fraud": report}}, records="fraud")
    assert "Without frauds there is nothing to find" in text
    assert "0 (–)" in text
    assert "There is no task with a true label" in event_page({"tasks": {}})


def test_two_tasks_have_a_section_each(report, bare):
    text = event_page({"tasks": {"fraud": report, "anomaly": bare}}, records="fraud")
    assert titles(text) == ["Task: fraud", "Task: anomaly"]
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_every_axis_has_a_label_and_the_report_stays_as_it_was(draw, report):
    before = copy.deepcopy(report)
    figure = draw(report)
    assert report == before
    axes = [value for name, value in figure.to_plotly_json()["layout"].items() if name[1:].startswith("axis")]
    assert len(axes) >= 2
    assert all(axis["title"]["text"] for axis in axes)


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_nothing_is_said_in_words(draw):
    figure = draw({"distribution": {"edges": [0, 1], "no": [0], "yes": [0]}})
    assert not figure.data
    assert len(figure.layout.annotations[0].text.split()) > 3


def test_the_headline_stands_between_chance_and_oracle(report):
    measured, chance, best = event_headline(report).data
    assert measured.x[:2] == (0.62, 0.9)
    assert measured.error_x.array[0] == pytest.approx(0.08)
    assert measured.error_x.array[1] == 0  # no interval, no bar
    assert chance.x == (0.008, 0.5)
    assert best.x == (0.78, 0.95)
    assert headline_table(report).rows[0][1:5] == ["0.620", "0.500 to 0.700", "0.008", "0.780"]
    assert "Oracle" not in headline_table(report | {"oracle": None}).header


def test_a_mean_outside_of_its_interval_draws_no_bar_backwards(report):
    report["intervals"]["average_precision"] = [0.65, 0.7]
    assert event_headline(report).data[0].error_x.arrayminus[0] == 0


def test_thresholds_are_marked_where_they_do_something(report):
    assert [trace.name for trace in roc_curve(report).data] == ["Model", "By chance", "Review threshold"]
    assert precision_recall_curve(report).data[2].x == (0.75,)
    assert [line.x0 for line in event_scores(report).layout.shapes] == [0.2]
    rows = [[plain(cell) for cell in row] for row in threshold_table(report, FRAUD).rows]
    assert rows[0][1:] == ["alerts_per_day=5", "0.2000", "12", "6.0", "50.0 %", "75.0 %", "0.6 %"]
    assert rows[1][2] == "never"
    assert rows[2][0] == "Both: 12 looked at, 0 declined"


def test_money_stays_in_its_currency(report):
    assert money_table(report).header == ["What", "EUR", "USD"]
    assert [plain(cell) for cell in money_table(report).rows[0][1:]] == ["500 EUR", "700 USD"]
    assert money_chart(report).data[0].x == (300.0, 300.0)
    assert "in money" in money_chart(report | {"money": None}).layout.annotations[0].text


def test_rare_events_are_seen_beside_common_ones(report):
    figure = event_scores(report, "fraud")
    assert figure.layout.yaxis.type == "log"
    assert [bars.y for bars in figure.data] == [(991, 1), (3, 5)]
    assert powers("Rows", 12_000_000)["ticktext"] == ["1", "100", "10,000", "1,000,000"]


def test_kinds_are_sorted_and_those_never_found_are_there(report):
    assert scenario_chart(report, "frauds").data[1].x == (6, 0)
    assert scenario_chart(report).layout.yaxis.ticktext == ("card testing", "one")
    assert scenario_table(report).rows[1][2:4] == ["0", "0\N{NO-BREAK SPACE}%"]


def test_weeks_and_days_show_their_gaps(report):
    assert quality_chart(report).data[0].y == (0.6, None)
    assert days_chart(report, "frauds").data[1].y == (3, 3)
    assert weeks_table(report).rows[1] == ["2025-01-08", "1,500", "4", "–", "–"]
    assert "oracle" not in "".join(weeks_table(report).header)
    report["weeks"][0]["oracle"] = {"average_precision": 0.7}
    assert weeks_table(report).rows[0][-1] == "0.700"


def test_detection_is_told_in_words(report):
    said = dict(span_words(report["detection"]))
    assert said["Events that passed before it"] == "median 0, mean 12.5, nine in ten within 40.0"
    assert len(span_words({"cards": 0, "detected": 0, "share": None, "frauds_undetected": 0})) == 3


def test_what_a_rule_takes_away_is_negative(report):
    table = rules_table(report, "frauds", "EUR")
    row = table.rows[0]
    assert table.header[-1] == "Adds amount, EUR"
    assert [plain(cell) for cell in row[-3:]] == ["+3", "\N{MINUS SIGN}1", "\N{MINUS SIGN}10"]
    assert rules_chart(report).data[1].x == (5, 5)


def test_confusion_is_in_shares_of_what_happened(report):
    assert plain(confusion_table(report, FRAUD).rows[1][2]) == "6 (75.0 %)"
    assert held_out_events({}, FRAUD) == ""


def test_no_name_becomes_markup(report):
    report["task"] = EVIL
    report["by_scenario"][0]["scenario"] = report["rules"][0]["rule"] = report["split"]["kind"] = EVIL
    report["thresholds"]["review"]["wanted"] = report["left_out"][EVIL] = EVIL
    report["left_out"][EVIL] = 3
    report["money"] = {EVIL: report["money"]["EUR"]}
    text = event_page({"tasks": {EVIL: report, "x": report}}, title=EVIL, records=EVIL, facts={EVIL: EVIL})
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "<img" not in outside
    assert "alert(1)" in outside
    scripts = re.findall(r"<script(?: type=\"([^\"]*)\")?", text)
    assert len([kind for kind in scripts if not kind]) == 2
    for chart in (scenario_chart(report), rules_chart(report), money_chart(report)):
        assert "<img" not in json.dumps(chart.to_plotly_json())
