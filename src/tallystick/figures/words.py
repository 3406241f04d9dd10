"""What came out, in plain words and in numbers as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["held_out", "level", "number", "outcome", "share"]


def outcome(report: Mapping[str, Any], records: str = "records") -> str:
    """Say in plain words what came out.

    >>> chosen = {"threshold": None, "wanted": {"accuracy": 0.95}, "accuracy": None, "automation": 0.0}
    >>> base = {"class": "card", "accuracy": 0.5}
    >>> report = {"task": "product", "rows": 1200, "accuracy": 0.8, "baseline": base, "threshold": chosen}
    >>> outcome(report, "complaints").split(". ")[0]
    'Of 1,200 complaints, 80.0\\xa0% got the right product'
    """
    rows, task = report["rows"], report["task"].replace("_", "-")
    low, high = report.get("intervals", {}).get("accuracy") or (None, None)
    sure = "" if low is None else f" ({level(report)} interval {share(low)} to {share(high)})"
    words = [f"Of {rows:,} {records}, {share(report['accuracy'])} got the right {task}{sure}."]
    base = report["baseline"]
    words.append(f"Always answering “{base['class']}” would be right for {share(base['accuracy'])}.")
    chosen = report["threshold"]
    wanted = chosen.get("wanted") or {}
    if chosen["accuracy"] is not None:
        words.append(
            f"With a score of at least {chosen['threshold']:.3f}, {share(chosen['automation'])} are "
            f"decided without a person, and {share(chosen['accuracy'])} of those "
            "are right; a person looks at the rest."
        )
    elif "accuracy" in wanted:
        words.append(
            f"No score is sure enough to be right {share(wanted['accuracy'])} of the time, "
            "so a person looks at each of them."
        )
    else:
        words.append("A person looks at each of them.")
    return " ".join(words)


def held_out(report: Mapping[str, Any]) -> str:
    """Say how the rows were held out and how the intervals were drawn.

    >>> held_out({"split": {"kind": "grouped", "folds": 5}}).split(". ")[0]
    'Rows were held out by a split that is grouped (folds 5)'
    """
    split = dict(report.get("split") or {})
    kind = split.pop("kind", None)
    more = ", ".join(f"{str(name).replace('_', ' ')} {value}" for name, value in split.items())
    words = (
        "Rows were held out"
        + (f" by a split that is {kind}" if kind else "")
        + (f" ({more})" if more else "")
    )
    drawn = "records"
    if report.get("groups") is not None:
        drawn = f"{report['groups']:,} groups of records that hang together"
    return (
        (f"{words}. " if kind or more else "")
        + f"Intervals are percentile bootstrap over {drawn}. "
        + "Macro figures are means over the classes that occur."
    )


def share(value: float | None) -> str:
    """Write a share in percent, a dash where it is undefined.

    >>> share(0.8351), share(None)
    ('83.5\\xa0%', '–')
    """
    return "–" if value is None else f"{value * 100:.1f}\N{NO-BREAK SPACE}%"


def number(value: float | None) -> str:
    """Write a number with three decimals, a dash where it is undefined.

    >>> number(0.81572), number(None)
    ('0.816', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def level(report: Mapping[str, Any]) -> str:
    """Write the level of the intervals.

    >>> level({"level": 0.95})
    '95\\xa0%'
    """
    return f"{report.get('level', 0.95) * 100:g}\N{NO-BREAK SPACE}%"
