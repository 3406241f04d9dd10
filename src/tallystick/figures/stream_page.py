"""What a stream did, as a page: rate, latency, decisions, alerts, and what waited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.figures.page import page
from tallystick.figures.stream_words import milliseconds, spell_span
from tallystick.report import Block, Chart, Section, Table, Text
from tallystick.report.formatting import rare, shares

__all__ = ["stream_page"]

LATENCY = (
    ("p50", "Half within"),
    ("p90", "90 % within"),
    ("p99", "99 % within"),
    ("p999", "99.9 % within"),
    ("longest", "The longest"),
    ("mean", "Mean"),
)


def stream_page(
    stream: Mapping[str, Any], *, title: str = "Stream", facts: Mapping[str, str] | None = None
) -> str:
    """Make the page of a stream from `StreamSnapshot.to_dict()`, or from that as JSON read back.

    facts: short pairs under the title (source, sink, model), without secrets. Raises KeyError when the dict
    is not of a stream.
    """
    shown = {
        "Started": _when(stream["started"]),
        "Ran for": spell_span(stream["elapsed_s"]),
        **(facts or {}),
    }
    sections = [_records(stream)]
    if stream["events"]:
        sections = [
            Section(
                "rate",
                "Rate",
                [
                    Chart(
                        "rate",
                        {"stream": stream},
                        f"Events a second, and below them the decisions that need a person{_points(stream)}.",
                        wide=True,
                    )
                ],
            ),
            _latency(stream),
            *_decisions(stream),
            _alerts(stream),
            _waiting(stream),
            *sections,
        ]
    return page(title, sections, lead=_lead(stream), facts=shown, data=stream)


def _lead(stream: Mapping[str, Any]) -> str:
    if not stream["events"]:
        return f"Nothing was decided in {spell_span(stream['elapsed_s'])}."
    took = stream["latency_ms"]
    words = [
        f"{stream['events']:,} events were decided, {stream['rate']:,.0f} a second while they came.",
        f"Half of the decisions were committed within {milliseconds(took['p50'])} of the event's arrival, "
        f"99\N{NO-BREAK SPACE}% within {milliseconds(took['p99'])}.",
    ]
    share = stream["alerted"] / max(stream["decisions"], 1)
    if stream["alerted"]:
        words.append(f"{stream['alerted']:,} ({rare(share)}) need a person.")
    return " ".join(words)


def _latency(stream: Mapping[str, Any]) -> Section:
    took = stream["latency_ms"]
    return Section(
        "latency",
        "Latency",
        [
            Chart(
                "latency",
                {"stream": stream},
                "From the arrival of a record to its committed decision"
                f"{_points(stream)}. The axis grows by multiples.",
                wide=True,
            ),
            Chart(
                "latency_spread",
                {"stream": stream},
                "How many decisions took how long, over the whole run. Both axes grow by multiples, so that "
                "the few that took long are seen.",
            ),
            Table(
                "From arrival to committed decision; percentiles to 2 %",
                ["", "Latency"],
                [[name, milliseconds(took[key])] for key, name in LATENCY],
            ),
        ],
    )


def _decisions(stream: Mapping[str, Any]) -> list[Section]:
    blocks: list[Block] = []
    for task, actions in stream["actions"].items():
        name = task.replace("_", "-")
        blocks += [
            Chart(
                "counts",
                {"counts": actions, "of": "Action", "unit": "Decisions"},
                f"What the decisions on {name} lead to.",
            ),
            _counts(f"Actions: {name}", "Action", actions),
        ]
        labels = stream["labels"].get(task, {})
        if not set(labels) <= {"yes", "no", "(none)"}:
            blocks += [
                Chart(
                    "counts",
                    {"counts": labels, "of": "Class", "unit": "Decisions"},
                    f"What was decided: {name}.",
                ),
                _counts(f"Classes: {name}", "Class", labels),
            ]
    if stream["departments"]:
        blocks += [
            Chart(
                "counts",
                {"counts": stream["departments"], "of": "Department", "unit": "Decisions"},
                "Where the decisions went.",
            ),
            _counts("Departments", "Department", stream["departments"]),
        ]
    return [Section("decisions", "Decisions", blocks)] if blocks else []


def _counts(caption: str, name: str, counts: Mapping[str, int]) -> Table:
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = shares([count for _, count in rows])
    return Table(
        caption,
        [name, "Decisions", "Share"],
        [[one, f"{n:,}", of] for (one, n), of in zip(rows, parts, strict=True)],
    )


def _alerts(stream: Mapping[str, Any]) -> Section:
    if not stream["alerted"]:
        return Section("alerts", "Alerts", [Text("No decision needs a person.")])
    rows = [
        [
            str(one["id"]),
            _when(one["at"]),
            one["action"],
            "–" if one["score"] is None else f"{one['score']:.3f}",
            milliseconds(one["latency_ms"]),
            "; ".join(one["reasons"])
            or ", ".join(
                word for word in (one["label"], one["department"]) if word and word not in ("yes", "no")
            ),
        ]
        for one in reversed(stream["alerts"])
    ]
    header = ["Record", "Committed (UTC)", "Action", "Score", "Latency", "Why, or what and where to"]
    count = f"The newest {len(rows):,} of {stream['alerted']:,} alerts"
    return Section("alerts", "Alerts", [Table(count, header, rows, "lrlrrl")])


def _waiting(stream: Mapping[str, Any]) -> Section:
    blocks: list[Block] = [
        Chart(
            "waiting",
            {"stream": stream},
            f"Records that waited in the source: the most{_points(stream)}.",
            wide=True,
        )
    ]
    if stream["behind"]:
        rows = [[sink, f"{count:,}"] for sink, count in stream["behind"].items()]
        blocks.append(
            Table("Entries of the log that sinks had yet to get at the end", ["Sink", "Entries"], rows)
        )
    return Section("waiting", "Waiting", blocks)


def _records(stream: Mapping[str, Any]) -> Section:
    """Account for each record, and list notices and notes."""
    events, bad, doubled = stream["events"], stream["quarantined"], stream["duplicates"]
    rows = [
        ["Came in", f"{events + bad + doubled:,}"],
        ["Decided", f"{events:,}"],
        ["Of those, late", f"{stream['late']:,}"],
        ["In quarantine", f"{bad:,}"],
        ["Duplicates of earlier records", f"{doubled:,}"],
        ["Transactions", f"{stream['commits']:,}"],
    ]
    blocks: list[Block] = [Table("Every record is accounted for", ["", "Records"], rows)]
    notices = [
        [channel, state, f"{count:,}"]
        for channel, states in stream["notices"].items()
        for state, count in states.items()
    ]
    if notices:
        blocks.append(Table("Notifications", ["Channel", "State", "Notices"], notices, "llr"))
    if stream["notes"]:
        notes = [
            [_when(one["at"]), one["words"], "" if one["times"] == 1 else f"{one['times']:,}"]
            for one in stream["notes"]
        ]
        blocks.append(Table("Notes", ["Time (UTC)", "Note", "Times"], notes, "llr"))
    return Section("records", "Records", blocks)


def _points(stream: Mapping[str, Any]) -> str:
    seconds = stream["series"]["seconds"]
    return ", second by second" if seconds == 1 else f", in steps of {spell_span(seconds)}"


def _when(moment: str) -> str:
    """Write a moment in ISO 8601 as people read it, to the second."""
    return moment[:19].replace("T", "\N{NO-BREAK SPACE}")
