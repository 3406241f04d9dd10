"""Formatting of numbers, durations and bars in the live display."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bar", "clock", "fit", "milliseconds", "printable", "span", "spark"]

EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = "▁▂▃▄▅▆▇█"


def milliseconds(value: float | None) -> str:
    """Format a latency in milliseconds with two or three significant digits.

    >>> [milliseconds(one) for one in (0.4321, 4.123, 41.23, 412.3, 4123, 412_300, None)]
    ['0.43 ms', '4.1 ms', '41 ms', '412 ms', '4.1 s', '6.9 min', '–']
    """
    if value is None:
        return "–"
    if value < 999.5:
        return f"{value:.{2 if value < 0.995 else 1 if value < 9.95 else 0}f} ms"
    seconds = value / 1000
    for size, name in ((1, "s"), (60, "min"), (3600, "h"), (86_400, "d")):
        if seconds < size * (60 if size < 3600 else 48) or name == "d":
            return f"{seconds / size:.1f} {name}"
    raise AssertionError  # days match any duration


def clock(seconds: float) -> str:
    """Format an elapsed time as a clock.

    >>> clock(83), clock(3_723), clock(200_000)
    ('1:23', '1:02:03', '2 d 07:33:20')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours:02}:{minutes:02}:{rest:02}"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def span(seconds: float) -> str:
    """Format a duration with units.

    >>> span(0.25), span(12.34), span(83), span(3_723)
    ('0.25 s', '12.3 s', '1 min 23 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def bar(share: float, width: int) -> str:
    """Draw a share as a bar of `width` characters; a positive share is always visible.

    >>> bar(0.5, 4), bar(0.001, 4), bar(0.0, 4)
    ('██  ', '▏   ', '    ')
    """
    eighths = min(max(round(share * width * 8), 1 if share > 0 else 0), width * 8)
    whole, part = divmod(eighths, 8)
    return (EIGHTHS[8] * whole + (EIGHTHS[part] if part else "")).ljust(width)


def spark(values: Sequence[float], width: int) -> str:
    """Draw the last `width` values as a sparkline scaled to their maximum.

    >>> spark([0, 1, 2, 4], 8)
    '▁▃▅█'
    """
    shown = values[-width:]
    top = max(shown, default=0)
    return "".join(LEVELS[round(value / top * 7) if top else 0] for value in shown)


def printable(text: str) -> str:
    """Replace unprintable characters, so that a record cannot move the cursor or reverse the line.

    >>> printable("T1\\x1b[2J")
    'T1·[2J'
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else "·" for one in text)


def fit(text: str, width: int) -> str:
    """Truncate or pad a text to `width` terminal columns; wide characters take two.

    >>> fit("decline", 4), fit("ab", 4)
    ('dec…', 'ab  ')
    """
    from rich.cells import cell_len, set_cell_size

    text = printable(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""
