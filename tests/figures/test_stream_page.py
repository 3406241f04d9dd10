"""The page of a stream: every part in its place, nothing made up, no name becomes markup."""

from __future__ import annotations

import copy
import json
import re

import pytest

from tallystick.figures.stream_charts import decades, latency_chart, rate_chart, spread_chart, waiting_chart
from tallystick.figures.stream_page import stream_page

CHARTS = (rate_chart, latency_chart, spread_chart, waiting_chart)
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def stream():
    """What `StreamSnapshot.to_dict()` gives, by hand: figures know no streams."""
    took = {
        "count": 40,
        "mean": 5.0,
        "p50": 4.0,
        "p90": 8.0,
        "p99": 30.0,
        "p999": 1200.0,
        "longest": 12_000.0,
    }
    alert = {
        **{"at": "2025-01-01T00:00:01.500Z", "id": "T1", "task": "fraud", "label": "yes", "score": 0.875},
        **{
            "action": "decline",
            "department": None,
            "reasons": ["many payments", "at night"],
            "latency_ms": 4.2,
        },
    }
    return {
        "solution": "fraud",
        "started": "2025-01-01T00:00:00.000Z",
        "now": "2025-01-01T00:01:23.000Z",
        "elapsed_s": 83.0,
        "events": 40,
        "decisions": 40,
        "quarantined": 3,
        "duplicates": 2,
        "late": 1,
        "commits": 7,
        "rate": 20.4,
        "rate_now": 0.0,
        "latency_ms": took,
        "latency_now_ms": dict.fromkeys(took) | {"count": 0},
        "labels": {"fraud": {"no": 37, "yes": 3}, "product": {"Mortgage": 40}},
        "actions": {"fraud": {"accept": 37, "review": 2, "decline": 1}, "product": {"auto": 40}},
        "departments": {"Legal": 40},
        "alerted": 3,
        "alerts": [alert, alert | {"id": "T2", "reasons": [], "label": "Mortgage", "department": "Legal"}],
        "lag": 0,
        "queued": 0,
        "behind": {"out.jsonl": 2},
        "notices": {"desk": {"sent": 5}},
        "notes": [{"at": "2025-01-01T00:00:02.000Z", "words": "The file was rotated.", "times": 2}],
        "distribution": {"edges_ms": [3.5, 4.0, 8.0, 16_000.0], "counts": [30, 9, 1]},
        "series": {
            "seconds": 1,
            "at": ["2025-01-01T00:00:00.000Z", "2025-01-01T00:00:01.000Z", "2025-01-01T00:00:02.000Z"],
            "rate": [20.0, 0.0, 20.0],
            "p50_ms": [4.0, None, 5.0],
            "p99_ms": [30.0, None, 12_000.0],
            "alerts": [1, 0, 2],
            "lag": [0, 5, None],
        },
    }


@pytest.fixture
def nothing(stream):
    """A stream to which nothing came."""
    series = {key: [] for key in stream["series"]} | {"seconds": 1}
    none = dict.fromkeys(stream["latency_ms"]) | {"count": 0}
    zero = dict.fromkeys(
        ("events", "decisions", "quarantined", "duplicates", "late", "commits", "alerted"), 0
    )
    empty = {
        "labels": {},
        "actions": {},
        "departments": {},
        "alerts": [],
        "behind": {},
        "notices": {},
        "notes": [],
    }
    distribution = {"edges_ms": [], "counts": []}
    return (
        stream
        | zero
        | empty
        | {"series": series, "latency_ms": none, "distribution": distribution, "rate": 0.0}
    )


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def titles(text):
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", text)


def test_every_part_has_its_place(stream):
    text = plain(stream_page(stream, title="Payments", facts={"Source": "payments.csv"}))
    assert titles(text) == ["Rate", "Latency", "Decisions", "Alerts", "Waiting", "Records"]
    for words in (
        "40 events were decided, 20 a second while they came.",
        "within 4.00 ms of the event's arrival".replace("'", "&#x27;"),
        "99 % within 30 ms. 3 (7.5 %) need a person.",
        "<dd>1 min 23 s</dd>",
        "<dd>payments.csv</dd>",
        '<td class="n">1,200 ms</td>',
        '<td class="n">12 s</td>',
        "The newest 2 of 3 alerts",
        "many payments; at night",
        "Mortgage, Legal",
        "The file was rotated.",
        '<th scope="row">Came in</th><td class="n">45</td>',
        "out.jsonl",
    ):
        assert words in text, words
    assert text.index(">T2<") < text.index(">T1<")  # the newest first
    assert text.count("data-chart=") == 8
    assert "Classes: product" in text
    assert "Classes: fraud" not in text  # yes and no say nothing beside the actions
    held = re.search(r'<script type="application/json" id="report">(.*?)</script>', text)[1]
    assert json.loads(held) == json.loads(plain(json.dumps(stream)))


def test_nothing_came_and_the_page_says_so(nothing):
    text = plain(stream_page(nothing))
    assert "Nothing was decided in 1 min 23 s." in text
    assert titles(text) == ["Records"]
    assert "data-chart=" not in text


def test_only_bad_records_came(nothing):
    text = stream_page(nothing | {"quarantined": 3, "commits": 1})
    assert titles(text) == ["Records"]
    assert '<th scope="row">In quarantine</th><td class="n">3</td>' in text


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_every_axis_has_a_label_and_the_report_stays_as_it_was(draw, stream):
    before = copy.deepcopy(stream)
    figure = draw(stream)
    assert stream == before
    axes = [value for name, value in figure.to_plotly_json()["layout"].items() if name[1:].startswith("axis")]
    assert len(axes) >= 2
    assert all(axis["title"]["text"] for axis in axes)


@pytest.mark.parametrize("draw", CHARTS, ids=lambda draw: draw.__name__)
def test_nothing_is_said_in_words(draw, nothing):
    figure = draw(nothing)
    assert not figure.data
    assert len(figure.layout.annotations[0].text.split()) > 3


def test_gaps_stay_gaps(stream):
    median, tail = latency_chart(stream).data
    assert (median.y, tail.y) == ((4.0, None, 5.0), (30.0, None, 12_000.0))
    assert median.connectgaps is False
    assert rate_chart(stream).data[0].y == (20.0, 0.0, 20.0)
    assert rate_chart(stream).data[1].y == (1, 0, 2)
    assert waiting_chart(stream).data[0].y == (0, 5, None)


def test_the_tail_is_in_sight_and_marked(stream):
    figure = spread_chart(stream)
    assert figure.layout.yaxis.type == "log"
    assert plain(figure.data[0].customdata[2]) == "8.00 ms to 16 s: 1 (2.50%)"
    assert [plain(line.name) for line in figure.data[1:]] == [
        "Half within 4.00 ms",
        "99 % within 30 ms",
        "99.9 % within 1,200 ms",
    ]
    assert [10 ** line.x[0] for line in figure.data[1:]] == pytest.approx([4, 30, 1200])
    low, high = figure.layout.xaxis.range
    assert low <= figure.data[0].x[0] - figure.data[0].width[0] / 2
    assert high >= figure.data[0].x[-1] + figure.data[0].width[-1] / 2


@pytest.mark.parametrize(
    ("low", "high"), [(0.2, 0.3), (1, 1), (4, 4), (3, 40), (0.05, 90_000), (1, 2_000_000)]
)
def test_an_axis_of_powers_of_ten_holds_what_is_drawn(low, high):
    axis = decades("x", low, high)
    assert 10 ** axis["range"][0] <= low * 1.000001
    assert 10 ** axis["range"][1] >= high * 0.999999
    assert len(axis["tickvals"]) == len(axis["ticktext"]) == len(set(axis["ticktext"])) >= 1


def test_long_runs_say_how_long_a_point_is(stream):
    stream["series"]["seconds"] = 256
    text = plain(stream_page(stream))
    assert "in steps of 4 min 16 s" in text
    assert (
        rate_chart(stream).layout.yaxis2.title.text
        == "Alerts in 4\N{NO-BREAK SPACE}min 16\N{NO-BREAK SPACE}s"
    )


def test_a_source_that_cannot_say_what_waits(stream):
    stream["series"]["lag"] = [None, None, None]
    assert "does not say" in stream_page(stream)


def test_no_alert_is_said(stream):
    assert "No decision needs a person." in stream_page(stream | {"alerted": 0, "alerts": []})


def test_no_name_becomes_markup(stream):
    stream["alerts"][0] |= {"id": EVIL, "action": EVIL, "reasons": [EVIL]}
    stream["labels"] = stream["actions"] = {EVIL: {EVIL: 3}}
    stream["departments"] = stream["behind"] = {EVIL: 1}
    stream["notices"] = {EVIL: {EVIL: 1}}
    stream["notes"][0]["words"] = EVIL
    text = stream_page(stream, title=EVIL, facts={EVIL: EVIL})
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert "<img" not in outside
    assert outside.count("alert(1)") > 10
    scripts = re.findall(r"<script(?: type=\"([^\"]*)\")?", text)
    assert len([kind for kind in scripts if not kind]) == 2
    assert "<img" not in json.dumps([draw(stream).to_plotly_json() for draw in CHARTS])
