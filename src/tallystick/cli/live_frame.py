"""Layout of the live display of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tallystick.cli.live_format import bar, clock, fit, milliseconds, spark

if TYPE_CHECKING:
    from tallystick.streams.stats_snapshot import Alert, StreamSnapshot

__all__ = ["frame", "line"]

GAP = 4
WIDE = 108  # columns from which lists are drawn side by side
SHORTEST = 8  # least columns of a bar
NAMES = 5  # most names in a list of counts
MOST_ALERTS = 10
ALARMS = ("decline",)  # actions shown in red
# Replacements for terminals without Unicode, one character each.
ASCII = str.maketrans("█▉▊▋▌▍▎▏▁▂▃▄▅▆▇·…–→", "########._-=+*#-.->")


def frame(snapshot: StreamSnapshot, title: str, width: int, height: int, *, ascii_only: bool = False) -> Text:
    """Draw a snapshot in at most `height` lines of `width` columns, in the terminal's colours."""
    width = max(width, 20)
    lines = [_head(snapshot, title, width), Text()]
    if not (snapshot.events or snapshot.bad or snapshot.duplicates):
        lines += [Text("  Waiting for the first record …"), *_notes(snapshot, width)]
    else:
        lines += _figures(snapshot, width)
        lines += [Text(), *_counts(snapshot, width)]
        notes = [Text(), *_notes(snapshot, width)]
        room = height - len(lines) - len(notes) - 2
        lines += [Text(), *_alerts(snapshot, width, max(room, 1)), *notes]
    for text in lines:
        text.truncate(width)
    drawn = Text("\n", no_wrap=True, overflow="crop").join(lines[:height])
    if ascii_only:
        drawn.plain = drawn.plain.translate(ASCII)
    return drawn


def line(snapshot: StreamSnapshot) -> str:
    """Write a snapshot as one line of text, for logs.

    >>> from tallystick.streams.stats_snapshot import StreamSnapshot
    >>> line(StreamSnapshot("fraud", now=5_000_000, events=12_000, rate_now=2_400.0, lag=3))
    '0:05  12,000 events, 2,400 a second, 0 alerts, 3 waiting'
    """
    parts = [f"{snapshot.events:,} events", f"{snapshot.rate_now:,.0f} a second"]
    latency = snapshot.latency_now if snapshot.latency_now.count else snapshot.latency
    if latency.count:
        parts.append(f"p50 {milliseconds(latency.p50)}, p99 {milliseconds(latency.p99)}")
    parts.append(f"{snapshot.alerted:,} alerts")
    parts += [
        f"{count:,} {name}"
        for name, count in (
            ("in quarantine", snapshot.bad),
            ("duplicate", snapshot.duplicates),
            ("late", snapshot.late),
        )
        if count
    ]
    if snapshot.lag is not None:
        parts.append(f"{snapshot.lag + snapshot.queued:,} waiting")
    return f"{clock(snapshot.elapsed)}  {', '.join(parts)}"


def _head(snapshot: StreamSnapshot, title: str, width: int) -> Text:
    elapsed = clock(snapshot.elapsed)
    return Text.assemble((fit(title, width - len(elapsed) - 1), "bold"), (f" {elapsed}", "dim"))


def _figures(snapshot: StreamSnapshot, width: int) -> list[Text]:
    """Draw rate, latency and backlog, side by side where they fit."""
    rates = [value for value in snapshot.series.get("rate", ()) if value is not None]
    rate = [
        _title("Rate", 22),
        _pair("now", f"{snapshot.rate_now:,.0f} /s", 22),
        _pair("average", f"{snapshot.rate:,.0f} /s", 22),
        _pair("events", f"{snapshot.events:,}  ", 22),
        Text(spark(rates, 22), "cyan"),
    ]
    now, all_time = snapshot.latency_now, snapshot.latency
    latency = [Text(f"{'Latency':<8}{'last 10 s':>10}{'all':>10}", "dim")]
    for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("longest", "longest")):
        recent, ever = (milliseconds(getattr(one, key)) for one in (now, all_time))
        latency.append(Text.assemble((f"{name:<8}", "dim"), f"{recent:>10}{ever:>10}"))
    waiting = [
        _title("Waiting", 22),
        _pair("in the source", "–" if snapshot.lag is None else f"{snapshot.lag:,}", 22),
        _pair("in the queue", f"{snapshot.queued:,}", 22),
    ]
    sinks = sorted(snapshot.behind.items(), key=lambda item: -item[1])
    for name, count in sinks[:2]:
        waiting.append(_pair(f"to {name}", f"{count:,}", 22))
    blocks = [(rate, 22), (latency, 28), (waiting, 22)]
    if width >= 80:
        return _beside(blocks)
    if width >= 54:
        return [*_beside(blocks[:2]), Text(), *waiting]
    return [*rate, Text(), *latency, Text(), *waiting]


def _counts(snapshot: StreamSnapshot, width: int) -> list[Text]:
    """Draw counts of actions, of classes other than yes and no, and of departments."""
    lists: list[tuple[str, Mapping[str, int]]] = []
    for task, actions in snapshot.actions.items():
        labels = snapshot.labels.get(task, {})
        if set(labels) <= {"yes", "no", "(none)"}:
            lists.append((task, actions))
        else:
            lists += [(f"{task}: action", actions), (f"{task}: class", labels)]
    if snapshot.departments:
        lists.append(("departments", snapshot.departments))
    wide = width >= WIDE and len(lists) > 1
    across = (width - GAP) // 2 if wide else width
    blocks = [_tally(name, counts, min(across, 80)) for name, counts in lists]
    if not wide:
        return [line for i, block in enumerate(blocks) for line in ([Text()] if i else []) + block]
    lines: list[Text] = []
    for i in range(0, len(blocks), 2):
        lines += [Text()] if i else []
        lines += _beside([(block, across) for block in blocks[i : i + 2]])
    return lines


def _tally(title: str, counts: Mapping[str, int], width: int) -> list[Text]:
    total = sum(counts.values()) or 1
    rows = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(rows) > NAMES:
        rest = rows[NAMES - 1 :]
        rows = [*rows[: NAMES - 1], (f"{len(rest)} others", sum(count for _, count in rest))]
    number = max((len(f"{count:,}") for _, count in rows), default=1)
    longest = max((cell_len(name) for name, _ in rows), default=1)
    name_width = max(min(longest, width - number - 12 - SHORTEST), 4)
    stroke = max(min(width - name_width - number - 12, 32), 0)
    lines = [_title(title[:1].upper() + title[1:], width)]
    for name, count in rows:
        share = count / total
        lines.append(
            Text.assemble(
                fit(name, name_width),
                "  ",
                (bar(share, stroke), "cyan"),
                f"  {count:>{number},}",
                (f"  {share:6.1%}"[:8], "dim"),
            )
        )
    return lines


def _alerts(snapshot: StreamSnapshot, width: int, room: int) -> list[Text]:
    """Draw the latest alerts, newest first, in at most `room` lines below the title."""
    lines = [
        Text.assemble(("Alerts  ", "dim"), f"{snapshot.alerted:,}" if snapshot.alerted else "none so far")
    ]
    if len(snapshot.alerts) > 1:
        lines[0].append("  the newest first", "dim")
    each = 1 if width >= WIDE else 2
    most = max(min(room // each, MOST_ALERTS), 1)
    for alert in list(reversed(snapshot.alerts))[:most]:
        lines += _alert(alert, width)
    return lines


def _alert(alert: Alert, width: int) -> list[Text]:
    score = "" if alert.score is None else f"{alert.score:.1%}"
    style = "bold red" if alert.action in ALARMS else "bold"
    named = "" if alert.label in ("yes", "no") else alert.label
    took = milliseconds(alert.latency)
    name = 18 if width >= 60 else 10
    first = Text.assemble(
        (fit(alert.action, 8), style),
        f"{score:>7}  ",
        (fit(alert.id, name), "dim"),
        (f"{took:>9}", "dim"),
    )
    detail = " · ".join(alert.reasons) or " → ".join(word for word in (named, alert.department) if word)
    if width >= WIDE:
        first.append("  " + fit(detail, width - first.cell_len - 2).rstrip())
        return [first]
    return [first, Text("  " + fit(detail, width - 2).rstrip())]


def _notes(snapshot: StreamSnapshot, width: int) -> list[Text]:
    """Draw counts of quarantined, duplicate and late records and of notices, then the last notes."""
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("in quarantine", snapshot.bad),
            ("duplicate", snapshot.duplicates),
            ("late", snapshot.late),
        )
        if count
    ]
    states: dict[str, int] = {}
    for channel in snapshot.notices.values():
        for state, count in channel.items():
            states[state] = states.get(state, 0) + count
    counts += [f"{count:,} notices {state}" for state, count in states.items() if count]
    lines = [Text(fit(" · ".join(counts), width).rstrip())] if counts else []
    for note in snapshot.notes[-2:]:
        often = f" ({note.times:,} times)" if note.times > 1 else ""
        lines.append(Text(fit(f"{note.words}{often}", width).rstrip(), "dim"))
    return lines


def _title(text: str, width: int) -> Text:
    return Text(fit(text, width), "dim")


def _pair(name: str, value: str, width: int) -> Text:
    return Text.assemble((fit(name, max(width - len(value) - 1, 1)), "dim"), f" {value}")


def _beside(blocks: Sequence[tuple[Sequence[Text], int]]) -> list[Text]:
    """Join blocks of lines side by side, each padded to its width."""
    lines = []
    for i in range(max(len(block) for block, _ in blocks)):
        row = Text()
        for place, (block, width) in enumerate(blocks):
            part = block[i].copy() if i < len(block) else Text()
            part.truncate(width, pad=True)
            row.append(" " * GAP if place else "").append_text(part)
        lines.append(row)
    return lines
