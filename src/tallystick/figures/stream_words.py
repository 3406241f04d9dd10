"""Latencies and spans of time as the page of a stream writes them."""

from __future__ import annotations

__all__ = ["milliseconds", "spell_span"]


def milliseconds(value: float | None) -> str:
    """Write a latency, a dash where there is none.

    >>> [milliseconds(one) for one in (4.2, 37.4, 1_200, 12_000, None)]
    ['4.20\\xa0ms', '37\\xa0ms', '1,200\\xa0ms', '12\\xa0s', '–']
    """
    if value is None:
        return "–"
    if value < 9.995:
        return f"{value:.2f}\N{NO-BREAK SPACE}ms"
    return f"{value:,.0f}\N{NO-BREAK SPACE}ms" if value < 10_000 else spell_span(value / 1000)


def spell_span(seconds: float) -> str:
    """Write a span of time by its two largest parts.

    >>> spell_span(0.25), spell_span(83), spell_span(90_000)
    ('0.2\\xa0s', '1\\xa0min 23\\xa0s', '1\\xa0d 1\\xa0h')
    """
    if seconds < 59.95:
        return (f"{seconds:.3g}" if seconds >= 1 else f"{seconds:.1f}") + "\N{NO-BREAK SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    parts_text = [f"{count}\N{NO-BREAK SPACE}{name}" for count, name in parts if count]
    return " ".join(parts_text[:2])
