"""The page: one file that fetches nothing, says the outcome, and lets no text become markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from tallystick.evaluation import outcome_words
from tallystick.figures import page
from tallystick.jobs.pages import evaluation_page
from tallystick.report import Chart, Details, Nouns, Section, Table, Text

COMPLAINTS = Nouns(record="complaint", records="complaints")
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class Reader(HTMLParser):
    """Collects what a test asks about."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.scripts, self.headings = [], [], [], []
        self.words = ""
        self.inside = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.inside = tag
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "script":
            self.scripts.append((attrs, ""))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            attrs, held = self.scripts[-1]
            self.scripts[-1] = (attrs, held + data)
        elif self.inside != "style":
            self.words += data


@pytest.fixture
def text(report):
    return evaluation_page({"tasks": {"product": report}}, COMPLAINTS, title="Complaints")


def test_nothing_in_it_is_fetched(text):
    reader = Reader(text)
    for tag, attrs in reader.tags:
        for name in ("src", "href", "srcset", "data", "poster", "action", "background"):
            value = attrs.get(name)
            assert value is None or value == "data:," or value.startswith("#"), (tag, name, value)
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "url(" not in styles
    assert "@import" not in styles
    assert not re.search(r"https?://", re.sub(r"<script>.*?</script>", "", text, flags=re.S))


def test_the_policy_forbids_every_fetch_and_holds_each_script_by_its_hash(text):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
    code = [held for attrs, held in Reader(text).scripts if "type" not in attrs]
    digests = [base64.b64encode(hashlib.sha256(held.encode()).digest()).decode() for held in code]
    assert rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]
    assert text.index("Content-Security-Policy") < text.index("<title>")
    assert not any(name.startswith("on") for _, attrs in Reader(text).tags for name in attrs)


def test_the_same_report_is_the_same_bytes(report, text):
    again = evaluation_page({"tasks": {"product": report}}, COMPLAINTS, title="Complaints")
    assert again == text
    reader = Reader(text)
    assert len(reader.ids) == len(set(reader.ids))


def test_it_says_the_outcome_in_plain_words(text):
    words = Reader(text).words.replace("\N{NO-BREAK SPACE}", " ")
    assert "Of 140 complaints, 77.1 % got the right product (95 % interval 70.1 % to 83.9 %)." in words
    assert "50.0 % are decided without a person, and 95.7 % of those are right" in words
    assert "split that is grouped (folds 5)" in words
    assert "131 groups of similar complaints" in words


def test_what_no_threshold_reaches_is_said_too(report):
    report["threshold"] |= {"threshold": None, "accuracy": None, "automation": 0.0, "accepted": 0}
    words = outcome_words(report, COMPLAINTS).replace("\N{NO-BREAK SPACE}", " ")
    assert "No score is high enough to be right 95.0 % of the time" in words


def test_people_and_machines_find_their_way(text):
    reader = Reader(text)
    names = [tag for tag, _ in reader.tags]
    assert ("html", {"lang": "en"}) in reader.tags
    assert names.count("h1") == names.count("main") == 1
    assert all(b - a <= 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False))
    first_link = next(attrs for tag, attrs in reader.tags if tag == "a")
    assert first_link["href"].removeprefix("#") in reader.ids
    for tag, attrs in reader.tags:
        for name in ("aria-labelledby", "href", "data-chart"):
            if name in attrs and tag != "link":
                assert attrs[name].removeprefix("#") in reader.ids
        if attrs.get("role") == "img":
            assert attrs["aria-label"]
    assert names.count("caption") == names.count("table") >= 3
    assert "prefers-color-scheme: dark" in text


def test_the_report_is_embedded_for_machines(report, text):
    held = next(held for attrs, held in Reader(text).scripts if attrs.get("id") == "report")
    assert json.loads(held) == {"tasks": {"product": report}}


def test_no_text_becomes_markup(report):
    for row in report["per_class"]:
        row["class"] = EVIL + row["class"]
    report["confusion"]["classes"] = [EVIL + name for name in report["confusion"]["classes"]]
    report["baseline"]["class"] = EVIL
    report["task"] = EVIL
    report["split"] = {"kind": EVIL}
    plain = evaluation_page({"tasks": {"product": report}}, Nouns(records="y"), title="x")
    text = evaluation_page({"tasks": {EVIL: report}}, Nouns(records=EVIL), title=EVIL, facts={EVIL: EVIL})
    for made in (plain, text):
        reader = Reader(made)
        code = [attrs for attrs, _ in reader.scripts if "type" not in attrs]
        assert len(code) == 2
        assert "img" not in {tag for tag, _ in reader.tags}
        for attrs, held in reader.scripts:
            if "type" in attrs:
                json.loads(held)
    assert "alert(1)" in Reader(text).words


def test_blocks_of_other_reports_find_their_place():
    text = page(
        "Scored",
        [
            Section(
                "actions",
                "Actions",
                [
                    Text("Most went by themselves."),
                    Chart(
                        "counts", {"counts": {"auto": 3}, "of": "Action"}, "By action", "auto 3", wide=True
                    ),
                    Details("As a table", [Table("Actions", ["Action", "Rows"], [["auto", "3"]])]),
                    Table("Reasons", ["Reason", "Rows"], []),
                ],
                [Section("departments", "Departments")],
            )
        ],
        facts={"Model": "abc"},
        data={"a": 1},
    )
    reader = Reader(text)
    assert reader.headings == [1, 2, 3]
    assert "Reasons: none." in reader.words
    assert {"details", "summary", "figure", "dl"} <= {tag for tag, _ in reader.tags}
    chart = next(attrs for _, attrs in reader.tags if "data-chart" in attrs)
    figure = next(held for attrs, held in reader.scripts if attrs.get("id") == chart["data-chart"])
    assert json.loads(figure)["data"][0]["x"] == [3]


def test_an_evaluation_without_tasks_says_so():
    assert "There is no task with a true label" in evaluation_page({"tasks": {}}, Nouns())


def test_two_tasks_have_a_section_each(report):
    text = evaluation_page({"tasks": {"product": report, "issue": report | {"task": "issue"}}}, Nouns())
    reader = Reader(text)
    assert "Task: product" in reader.words
    assert "Task: issue" in reader.words
    assert len(reader.ids) == len(set(reader.ids))
    assert sum("data-chart" in attrs for _, attrs in reader.tags) == 12
