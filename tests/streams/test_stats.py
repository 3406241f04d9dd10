"""What a stream counts of itself: exact where it counts, near where it says so, bounded and cheap."""

from __future__ import annotations

import json
import threading

import numpy as np
import pyarrow as pa
import pytest

from tallystick.scorer.decision import decision_schema
from tallystick.streams.stats import Stats
from tallystick.streams.stats_alerts import HELD, NEWEST
from tallystick.streams.stats_metrics import MOST, OTHERS
from tallystick.streams.stats_series import LIMIT

SECOND = 1_000_000
START = 1_735_689_600 * SECOND
WORDS = [
    {"feature": "count", "value": 5.0, "effect": 1.0, "words": "5 payments in 5 minutes"},
    {"feature": "amount", "value": 9.0, "effect": 0.5, "words": "amount 9"},
    {"feature": "hour", "value": 3.0, "effect": 0.1, "words": "at night"},
]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stats(clock: Clock) -> Stats:
    return Stats("fraud", harmless=["accept"], clock=clock)


def decisions(
    actions: list[str], *, first: int = 0, task: list[str] | None = None, **more: list
) -> pa.RecordBatch:
    rows = [
        {
            "id": f"T{first + i}",
            "task": (task or ["fraud"] * len(actions))[i],
            "label": "no" if action == "accept" else "yes",
            "score": 0.5,
            "action": action,
            "reasons": [] if action == "accept" else WORDS,
            "model": "m",
            "late": False,
            **{name: values[i] for name, values in more.items()},
        }
        for i, action in enumerate(actions)
    ]
    schema = decision_schema()
    return pa.RecordBatch.from_pylist(rows, schema=schema)


def commit(stats: Stats, batch: pa.RecordBatch, at: int, latency: int = 5_000, **more: int) -> None:
    arrived = np.full(batch.num_rows, at - latency)
    stats.committed(batch, arrived, at, **{"bad": 0, "duplicates": 0, "late": 0, **more})


@pytest.mark.parametrize("size", [10, 3_000])
def test_everything_is_counted(stats: Stats, clock: Clock, size: int) -> None:
    desk = {"department": "Card desk", "priority": "high", "due": None, "rule": None}
    actions = ["accept"] * (size - 3) + ["review", "decline", "review"]
    routes = [None] * (size - 2) + [desk, desk]
    commit(stats, decisions(actions, route=routes), START, bad=2, duplicates=3, late=1)
    stats.committed(decisions([]), np.empty(0, np.int64), START, bad=1, duplicates=0, late=0)
    clock.now = START + SECOND
    seen = stats.snapshot()
    assert (seen.events, seen.decisions, seen.bad, seen.duplicates, seen.late, seen.commits) == (
        size,
        size,
        3,
        3,
        1,
        2,
    )
    assert seen.actions == {"fraud": {"accept": size - 3, "review": 2, "decline": 1}}
    assert seen.labels == {"fraud": {"no": size - 3, "yes": 3}}
    assert seen.departments == {"(none)": size - 2, "Card desk": 2}
    assert seen.alerted == 3
    assert seen.latency.p50 == pytest.approx(5, rel=0.02)
    assert seen.latency.longest == 5


def test_an_event_with_two_tasks_is_one_event(stats: Stats) -> None:
    for size in (2, 4_000):
        commit(
            stats,
            decisions(["accept", "review"] * (size // 2), task=["fraud", "anomaly"] * (size // 2)),
            START,
        )
    seen = stats.snapshot()
    assert (seen.events, seen.decisions) == (2_001, 4_002)
    assert seen.actions == {"fraud": {"accept": 2_001}, "anomaly": {"review": 2_001}}
    commit(stats, decisions(["accept", "accept"]), START, events=1)
    assert stats.snapshot().events == 2_002


def test_times_of_arrival_must_fit(stats: Stats) -> None:
    with pytest.raises(ValueError, match="1 decisions, but 2"):
        stats.committed(decisions(["accept"]), np.zeros(2, np.int64), START, bad=0, duplicates=0, late=0)


@pytest.mark.parametrize("size", [1, 7, 50, 3_000])
def test_the_newest_alerts_are_kept_in_order(stats: Stats, size: int) -> None:
    for i in range(30):
        commit(stats, decisions(["accept"] * (size - 1) + ["review"], first=i * size), START + i, i * 1000)
    seen = stats.snapshot()
    assert seen.alerted == 30
    assert [alert.id for alert in seen.alerts] == [f"T{i * size + size - 1}" for i in range(10, 30)]
    assert [alert.latency for alert in seen.alerts] == [float(i) for i in range(10, 30)]
    # Read before and after: what is new joins what was put into words already.
    commit(stats, decisions(["decline"], first=9_999_999), START + 40)
    assert [alert.id for alert in stats.snapshot().alerts] == [one.id for one in seen.alerts[1:]] + [
        "T9999999"
    ]


def test_a_commit_full_of_alerts_keeps_the_last_ones(stats: Stats) -> None:
    commit(stats, decisions(["review"] * 100), START)
    assert [alert.id for alert in stats.snapshot().alerts] == [f"T{i}" for i in range(80, 100)]


def test_alerts_hold_no_large_commits(stats: Stats) -> None:
    for i in range(NEWEST):
        commit(stats, decisions(["accept"] * 2_999 + ["review"], first=i * 3_000), START)
    assert sum(one.held[0].num_rows for one in stats._alerts.newest()) <= HELD
    for i in range(3 * NEWEST):
        commit(stats, decisions(["review"] * 3, first=i), START)
    assert len(stats._alerts.newest()) <= NEWEST


def test_an_alert_says_two_reasons_in_words_and_no_word_of_the_text(stats: Stats) -> None:
    commit(stats, decisions(["review"]), START)
    assert stats.snapshot().alerts[-1].reasons == ("5 payments in 5 minutes", "amount 9")
    secret = [{"feature": "my attorney smith", "value": 1.0, "effect": 0.9}]
    blank = [{"feature": "no_text", "value": None, "effect": None}]
    rule = [{"feature": "rule:abroad", "value": None, "effect": None}]
    schema = decision_schema()
    rows = [
        {"id": "C", "task": "product", "label": None, "score": None, "action": "review", "reasons": reasons}
        for reasons in (secret, blank, rule, None)
    ]
    commit(stats, pa.RecordBatch.from_pylist(rows, schema=schema), START)
    alerts = stats.snapshot().alerts[-4:]
    assert [alert.reasons for alert in alerts] == [(), ("no text",), ("rule abroad",), ()]
    assert "attorney" not in json.dumps(stats.snapshot().to_dict())


def test_harmless_actions_are_the_callers_to_name(clock: Clock) -> None:
    stats = Stats("campaigns", harmless=["skip"], clock=clock)
    commit(stats, decisions(["skip", "call", "accept"]), START)
    assert [alert.action for alert in stats.snapshot().alerts] == ["call", "accept"]


def test_rates_and_the_last_seconds(stats: Stats, clock: Clock) -> None:
    for second in range(1, 21):
        for tenth in range(10):
            at = START + second * SECOND + tenth * 100_000
            commit(stats, decisions(["accept"] * 10), at, 2_000 if second <= 8 else 40_000)
    clock.now = START + 21 * SECOND
    seen = stats.snapshot()
    assert seen.rate == pytest.approx(2_000 / 19.9, rel=0.01)
    assert seen.rate_now == pytest.approx(100, rel=0.01)
    assert seen.latency_now.p50 == pytest.approx(40, rel=0.02)
    assert seen.latency_now.count == 900  # of the second now, which has none yet, and of the nine before
    clock.now = START + 60 * SECOND
    seen = stats.snapshot()
    assert (seen.rate_now, seen.latency_now.p50) == (0.0, None)
    assert seen.rate == pytest.approx(2_000 / 19.9, rel=0.01)  # idle time is not its fault
    assert seen.latency.count == 2_000


def test_a_backlog_counts_from_the_start_of_the_stream(stats: Stats, clock: Clock) -> None:
    commit(stats, decisions(["accept"] * 100), START + SECOND, 3_600 * SECOND)
    seen = stats.snapshot()
    assert seen.rate == pytest.approx(100)
    assert seen.latency.p50 == pytest.approx(3_600_000, rel=0.02)


def test_an_arrival_in_the_future_took_no_time(stats: Stats) -> None:
    commit(stats, decisions(["accept"]), START, -5_000)
    assert stats.snapshot().latency.longest == stats.snapshot().latency.mean == 0


def test_the_series_stays_small_over_days_and_loses_nothing(stats: Stats, clock: Clock) -> None:
    batch = decisions(["accept"] * 9 + ["review"])
    rng = np.random.default_rng(1)
    total, lag, every = 0, 0, []
    for at in np.sort(rng.integers(0, 3 * 86_400, 3_000)).tolist():
        latency = int(rng.integers(1_000, 100_000))
        commit(stats, batch, START + at * SECOND, latency)
        every.append(latency)
        clock.now = START + at * SECOND
        lag = at // 1000
        stats.set_backlog(lag, 0, {})
        total += 10
    clock.now = START + 3 * 86_400 * SECOND
    seen = stats.snapshot()
    series = seen.series
    assert LIMIT / 2 <= len(series["at"]) <= LIMIT
    assert {len(column) for column in series.values()} == {len(series["at"])}
    assert seen.seconds == 256
    lengths = np.full(len(series["at"]), 256.0)
    lengths[-1] = (clock.now - series["at"][-1]) / SECOND
    assert (np.array(series["rate"]) * lengths).sum() == pytest.approx(total)
    assert sum(series["alerts"]) == total / 10
    assert series["lag"][-1] == lag
    p99 = [value for value in series["p99"] if value is not None]
    assert max(p99) == pytest.approx(max(every) / 1000, rel=0.02)


def test_a_longer_point_has_the_percentiles_of_all_in_it(stats: Stats, clock: Clock) -> None:
    rng = np.random.default_rng(2)
    latency = rng.integers(1_000, 2_000, (8, 50)) * np.arange(1, 9)[:, None]
    batch = decisions(["accept"] * 50)
    for second in range(8):
        at = START + second * SECOND
        stats.committed(batch, at - latency[second], at, bad=0, duplicates=0, late=0)
    stats.set_backlog(7, 0, {})
    clock.now = START + 8 * SECOND
    stats.set_backlog(9, 0, {})
    assert stats.snapshot().series["rate"][0] == 50
    clock.now = START + LIMIT * SECOND - 1
    stats.set_backlog(3, 0, {})
    clock.now = START + (4 * LIMIT + 1) * SECOND
    seen = stats.snapshot()
    assert seen.seconds == 8
    lags = {i: lag for i, lag in enumerate(seen.series["lag"]) if lag is not None}
    assert lags == {0: 7, 1: 9, LIMIT // 8 - 1: 3}
    true = np.sort(latency.ravel())[200 - 1] / 1000
    assert seen.series["p50"][0] == pytest.approx(true, rel=0.02)
    assert seen.series["rate"][0] == 50


def test_seconds_without_events_are_there_and_a_beginning_second_is_no_dip(
    stats: Stats, clock: Clock
) -> None:
    commit(stats, decisions(["accept"] * 10), START + 100_000)
    commit(stats, decisions(["accept"] * 10), START + 3 * SECOND + 100_000)
    clock.now = START + 3 * SECOND + 500_000
    assert stats.snapshot().series["rate"] == [10, 0, 0, 20]
    assert stats.snapshot().series["p50"][1] is None
    clock.now = START + 4 * SECOND + 100_000
    assert stats.snapshot().series["rate"][-1] == pytest.approx(10 / 1.1)


def test_a_clock_that_is_set_back_breaks_nothing(stats: Stats, clock: Clock) -> None:
    commit(stats, decisions(["accept"]), START + 10 * SECOND)
    commit(stats, decisions(["accept"]), START - 10 * SECOND)
    clock.now = START - 20 * SECOND
    stats.set_backlog(1, 0, {})
    seen = stats.snapshot()
    assert seen.events == 2
    assert seen.elapsed == 10


def test_names_and_notes_are_bounded(stats: Stats, clock: Clock) -> None:
    for i in range(0, 2 * MOST, 100):
        batch = decisions(["accept"] * 100, label=[f"class {i + j}" for j in range(100)])
        commit(stats, batch, START)
    labels = stats.snapshot().labels["fraud"]
    assert len(labels) <= MOST + 1
    assert labels[OTHERS] + sum(count for name, count in labels.items() if name != OTHERS) == 2 * MOST
    for i in range(100):
        stats.add_note(f"note {i} " + "x" * 1_000)
    notes = stats.snapshot().notes
    assert len(notes) == 20
    assert all(len(note.words) <= 200 for note in notes)


def test_a_note_that_is_said_again_is_counted(stats: Stats) -> None:
    for _ in range(3):
        stats.add_note("The file\nwas rotated.")
    stats.add_note("A model took over.")
    assert [(note.words, note.times) for note in stats.snapshot().notes] == [
        ("The file was rotated.", 3),
        ("A model took over.", 1),
    ]


def test_a_note_that_counts_on_stays_one(stats: Stats, clock: Clock) -> None:
    stats.add_note("lines passed over: 1")
    at = stats.snapshot().notes[0].at
    stats.add_note("a model took over")
    clock.now += 1_000_000
    stats.add_note("lines passed over: 2", "lines passed over: 1")
    first, second = stats.snapshot().notes
    # Its time stays as well: who prints what is new does not print it again.
    assert (first.words, first.at, second.words) == ("lines passed over: 2", at, "a model took over")
    stats.add_note("words: 2", "words: 1, and long gone")
    assert [note.words for note in stats.snapshot().notes][2:] == ["words: 2"]


def test_how_things_stand(stats: Stats) -> None:
    behind = {"out.jsonl": 3}
    stats.set_backlog(7, 5, behind, notices={"desk": {"sent": 2}})
    behind["out.jsonl"] = 9
    seen = stats.snapshot()
    assert (seen.lag, seen.queued, seen.behind, seen.notices) == (
        7,
        5,
        {"out.jsonl": 3},
        {"desk": {"sent": 2}},
    )
    stats.set_backlog(None, 0, {})
    assert stats.snapshot().lag is None
    assert stats.snapshot().notices == {"desk": {"sent": 2}}


def test_a_snapshot_is_json_and_stays_as_it_is(stats: Stats, clock: Clock) -> None:
    commit(stats, decisions(["review"]), START + 10)
    stats.add_note("A note.")
    seen = stats.snapshot()
    before = json.dumps(seen.to_dict(), allow_nan=False)
    commit(stats, decisions(["review"] * 30), START + 20)
    clock.now = START + 9 * SECOND
    stats.snapshot()
    assert json.dumps(seen.to_dict(), allow_nan=False) == before
    assert json.loads(before) == seen.to_dict()
    assert seen.to_dict()["started"] == "2025-01-01T00:00:00.000Z"


def test_nothing_yet_is_json_too(stats: Stats) -> None:
    assert json.loads(json.dumps(stats.snapshot().to_dict(), allow_nan=False))["latency_ms"]["p50"] is None


def test_threads_lose_no_count(stats: Stats) -> None:
    batch, stop = decisions(["accept"] * 4 + ["review"]), threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            seen = stats.snapshot()
            if seen.decisions != sum(seen.actions.get("fraud", {}).values()):
                wrong.append(seen)

    def write() -> None:
        for _ in range(300):
            commit(stats, batch, START)

    threads = [threading.Thread(target=write) for _ in range(3)]
    reader = threading.Thread(target=read)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    assert not wrong
    assert stats.snapshot().events == 4_500
