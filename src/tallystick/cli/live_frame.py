"""One picture of a running stream: what is drawn again and again in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tallystick.cli.live_words import bar, clock, fit, milliseconds, spark

if TYPE_CHECKING:
    from tallystick.streams.stats_snapshot import Alert, StreamSnapshot

__all__ = ["frame", "line"]

GAP = 4
WIDE = 108  # columns from which on things stand side by side
SHORTEST = 8  # columns of a bar, where names are long
NAMES = 5  # of a list of counts
MOST_ALERTS = 10
ALARMS = ("decline",)  # actions that are shown in red, besides being named
# For terminals that cannot show these: one letter for each.
ASCII = str.maketrans("█▉▊▋▌▍▎▏▁▂▃▄▅▆▇·…–→", "########._-=+*#-.->")


def frame(seen: StreamSnapshot, title: str, width: int, height: int, *, ascii_only: bool = False) -> Text:
    """Draw a stream in `height` lines of `width` columns, or fewer; the colours are the terminal's own."""
    width = max(width, 20)
    lines = [_head(seen, title, width), Text()]
    if not (seen.events or seen.bad or seen.duplicates):
        lines += [Text("  Waiting for the first record …"), *_notes(seen, width)]
    else:
        lines += _figures(seen, width)
        lines += [Text(), *_counts(seen, width)]
        notes = [Text(), *_notes(seen, width)]
        room = height - len(lines) - len(notes) - 2
        lines += [Text(), *_alerts(seen, width, max(room, 1)), *notes]
    for one in lines:
        one.truncate(width)
    drawn = Text("\n", no_wrap=True, overflow="crop").join(lines[:height])
    if ascii_only:
        drawn.plain = drawn.plain.translate(ASCII)
    return drawn


def line(seen: StreamSnapshot) -> str:
    """Say in one plain line how things stand, for logs.

    >>> from tallystick.streams.stats_snapshot import StreamSnapshot
    >>> line(StreamSnapshot("fraud", now=5_000_000, events=12_000, rate_now=2_400.0, lag=3))
    '0:05  12,000 events, 2,400 a second, 0 alerts, 3 waiting'
    """
    words = [f"{seen.events:,} events", f"{seen.rate_now:,.0f} a second"]
    latency = seen.latency_now if seen.latency_now.count else seen.latency
    if latency.count:
        words.append(f"p50 {milliseconds(latency.p50)}, p99 {milliseconds(latency.p99)}")
    words.append(f"{seen.alerted:,} alerts")
    words += [
        f"{count:,} {name}"
        for name, count in (
            ("in quarantine", seen.bad),
            ("duplicate", seen.duplicates),
            ("late", seen.late),
        )
        if count
    ]
    if seen.lag is not None:
        words.append(f"{seen.lag + seen.queued:,} waiting")
    return f"{clock(seen.elapsed)}  {', '.join(words)}"


def _head(seen: StreamSnapshot, title: str, width: int) -> Text:
    elapsed = clock(seen.elapsed)
    return Text.assemble((fit(title, width - len(elapsed) - 1), "bold"), (f" {elapsed}", "dim"))


def _figures(seen: StreamSnapshot, width: int) -> list[Text]:
    """Show rate, latency and what waits: beside each other as far as there is room."""
    rates = [value for value in seen.series.get("rate", ()) if value is not None]
    rate = [
        _title("Rate", 22),
        _pair("now", f"{seen.rate_now:,.0f} /s", 22),
        _pair("average", f"{seen.rate:,.0f} /s", 22),
        _pair("events", f"{seen.events:,}  ", 22),
        Text(spark(rates, 22), "cyan"),
    ]
    now, all_time = seen.latency_now, seen.latency
    latency = [Text(f"{'Latency':<8}{'last 10 s':>10}{'all':>10}", "dim")]
    for name, key in (("p50", "p50"), ("p99", "p99"), ("p99.9", "p999"), ("longest", "longest")):
        recent, ever = (milliseconds(getattr(one, key)) for one in (now, all_time))
        latency.append(Text.assemble((f"{name:<8}", "dim"), f"{recent:>10}{ever:>10}"))
    waiting = [
        _title("Waiting", 22),
        _pair("in the source", "–" if seen.lag is None else f"{seen.lag:,}", 22),
        _pair("in the queue", f"{seen.queued:,}", 22),
    ]
    sinks = sorted(seen.behind.items(), key=lambda item: -item[1])
    for name, count in sinks[:2]:
        waiting.append(_pair(f"to {name}", f"{count:,}", 22))
    blocks = [(rate, 22), (latency, 28), (waiting, 22)]
    if width >= 80:
        return _beside(blocks)
    if width >= 54:
        return [*_beside(blocks[:2]), Text(), *waiting]
    return [*rate, Text(), *latency, Text(), *waiting]


def _counts(seen: StreamSnapshot, width: int) -> list[Text]:
    """Show what was decided: actions, classes where they say more than yes or no, departments."""
    lists: list[tuple[str, Mapping[str, int]]] = []
    for task, actions in seen.actions.items():
        labels = seen.labels.get(task, {})
        if set(labels) <= {"yes", "no", "(none)"}:
            lists.append((task, actions))
        else:
            lists += [(f"{task}: action", actions), (f"{task}: class", labels)]
    if seen.departments:
        lists.append(("departments", seen.departments))
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


def _alerts(seen: StreamSnapshot, width: int, room: int) -> list[Text]:
    """Show the newest alerts, the newest first, in at most `room` lines besides the title."""
    lines = [Text.assemble(("Alerts  ", "dim"), f"{seen.alerted:,}" if seen.alerted else "none so far")]
    if len(seen.alerts) > 1:
        lines[0].append("  the newest first", "dim")
    each = 1 if width >= WIDE else 2
    most = max(min(room // each, MOST_ALERTS), 1)
    for alert in list(reversed(seen.alerts))[:most]:
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
    said = " · ".join(alert.reasons) or " → ".join(word for word in (named, alert.department) if word)
    if width >= WIDE:
        first.append("  " + fit(said, width - first.cell_len - 2).rstrip())
        return [first]
    return [first, Text("  " + fit(said, width - 2).rstrip())]


def _notes(seen: StreamSnapshot, width: int) -> list[Text]:
    """Show what went beside the way, and what was said last."""
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("in quarantine", seen.bad),
            ("duplicate", seen.duplicates),
            ("late", seen.late),
        )
        if count
    ]
    states: dict[str, int] = {}
    for channel in seen.notices.values():
        for state, count in channel.items():
            states[state] = states.get(state, 0) + count
    counts += [f"{count:,} notices {state}" for state, count in states.items() if count]
    lines = [Text(fit(" · ".join(counts), width).rstrip())] if counts else []
    for note in seen.notes[-2:]:
        often = f" ({note.times:,} times)" if note.times > 1 else ""
        lines.append(Text(fit(f"{note.words}{often}", width).rstrip(), "dim"))
    return lines


def _title(words: str, width: int) -> Text:
    return Text(fit(words, width), "dim")


def _pair(name: str, value: str, width: int) -> Text:
    return Text.assemble((fit(name, max(width - len(value) - 1, 1)), "dim"), f" {value}")


def _beside(blocks: Sequence[tuple[Sequence[Text], int]]) -> list[Text]:
    """Put blocks of lines next to each other, each filled to its width."""
    lines = []
    for i in range(max(len(block) for block, _ in blocks)):
        whole = Text()
        for place, (block, width) in enumerate(blocks):
            part = block[i].copy() if i < len(block) else Text()
            part.truncate(width, pad=True)
            whole.append(" " * GAP if place else "").append_text(part)
        lines.append(whole)
    return lines
