"""Figures of a stream at one moment: plain values for the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick.streams.stats_latency import LatencySummary

__all__ = ["Alert", "Note", "StreamSnapshot", "moment"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Alert:
    """One decision that needs a person: times in microseconds UTC, latency in milliseconds.

    reasons: the first two in words. A reason that has no words, but is a word of the record's own text, is
    not among them: what is shown here may end up in a file.
    """

    at: int
    id: str
    task: str
    label: str
    score: float | None
    action: str
    department: str | None
    reasons: tuple[str, ...]
    latency: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "at": moment(self.at),
            "id": self.id,
            "task": self.task,
            "label": self.label,
            "score": self.score,
            "action": self.action,
            "department": self.department,
            "reasons": list(self.reasons),
            "latency_ms": self.latency,
        }


@dataclass(frozen=True, slots=True)
class Note:
    """A note; `times`: how often in a row."""

    at: int
    words: str
    times: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"at": moment(self.at), "words": self.words, "times": self.times}


@dataclass(frozen=True)
class StreamSnapshot:
    """Figures of a stream that runs or has ended.

    started and now: microseconds UTC; rate: events a second, from the first arrival to the last commit;
    rate_now: over the last 5 seconds; latency, latency_now (10 seconds): from arrival to commit; labels and
    actions: task → name → decisions; lag: records that wait to be taken, None where that is not known;
    queued: taken and not yet committed; behind: sink → entries of the log that it has yet to get; notices:
    channel → state → how many; alerts and notes: the newest last; distribution: edges in milliseconds, and
    how many latencies lie between them; series: columns of the chart.

    >>> StreamSnapshot("orders").to_dict()["events"]
    0
    """

    solution: str
    started: int = 0
    now: int = 0
    events: int = 0
    decisions: int = 0
    bad: int = 0
    duplicates: int = 0
    late: int = 0
    commits: int = 0
    rate: float = 0.0
    rate_now: float = 0.0
    latency: LatencySummary = field(default_factory=LatencySummary)
    latency_now: LatencySummary = field(default_factory=LatencySummary)
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    actions: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    departments: Mapping[str, int] = field(default_factory=dict)
    alerted: int = 0
    alerts: tuple[Alert, ...] = ()
    lag: int | None = None
    queued: int = 0
    behind: Mapping[str, int] = field(default_factory=dict)
    notices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    distribution: tuple[tuple[float, ...], tuple[int, ...]] = ((), ())
    seconds: int = 1
    series: Mapping[str, list[Any]] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return max(self.now - self.started, 0) / 1e6

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON: times in ISO 8601 (UTC), latencies in milliseconds."""
        edges, counts = self.distribution
        series = dict(self.series)
        return {
            "solution": self.solution,
            "started": moment(self.started),
            "now": moment(self.now),
            "elapsed_s": self.elapsed,
            "events": self.events,
            "decisions": self.decisions,
            "quarantined": self.bad,
            "duplicates": self.duplicates,
            "late": self.late,
            "commits": self.commits,
            "rate": self.rate,
            "rate_now": self.rate_now,
            "latency_ms": self.latency.to_dict(),
            "latency_now_ms": self.latency_now.to_dict(),
            "labels": {task: dict(counts) for task, counts in self.labels.items()},
            "actions": {task: dict(counts) for task, counts in self.actions.items()},
            "departments": dict(self.departments),
            "alerted": self.alerted,
            "alerts": [alert.to_dict() for alert in self.alerts],
            "lag": self.lag,
            "queued": self.queued,
            "behind": dict(self.behind),
            "notices": {channel: dict(states) for channel, states in self.notices.items()},
            "notes": [note.to_dict() for note in self.notes],
            "distribution": {"edges_ms": list(edges), "counts": list(counts)},
            "series": {
                "seconds": self.seconds,
                "at": [moment(at) for at in series.get("at", ())],
                "rate": list(series.get("rate", ())),
                "p50_ms": list(series.get("p50", ())),
                "p99_ms": list(series.get("p99", ())),
                "alerts": list(series.get("alerts", ())),
                "lag": list(series.get("lag", ())),
            },
        }


def moment(at: int) -> str:
    """Write microseconds UTC as ISO 8601, to the millisecond.

    >>> moment(1_735_689_600_123_456)
    '2025-01-01T00:00:00.123Z'
    """
    when = EPOCH + timedelta(microseconds=at)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
