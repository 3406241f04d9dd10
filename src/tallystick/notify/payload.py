"""Payload of a notification: the decision and its reasons in short, never a text of the record.

A reason that has words was put so by its solution, from a feature's name and a number. A reason without words
names a feature alone, and where texts are classified that is a word of the text: it stays at home. A rule
beside the model is told by its name, since its sentence may quote the record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tallystick.notify.match import BESIDE

__all__ = ["clean", "describe", "payloads"]

PLAIN = ("id", "task", "label", "action", "model")
REASONS = 5
LONGEST = 200  # characters of one value
NOT_SHOWN = re.compile(r"[^\S ]+| {2,}")


def clean(text: str, longest: int = LONGEST) -> str:
    """Make one line of a text that cannot move a cursor, end a header or fill a page.

    >>> clean("a\\r\\nBcc: b\\x1b[2J")
    'a Bcc: b?[2J'
    """
    line = NOT_SHOWN.sub(" ", text[: 4 * longest]).strip()
    line = "".join(sign if sign.isprintable() else "?" for sign in line)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def payloads(decisions: pa.RecordBatch, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return what is told of each of some decisions: plain values, ready for JSON."""
    index = pa.array(rows, pa.int64())
    found: list[dict[str, Any]] = [{} for _ in rows]
    names = decisions.schema.names

    def values(name: str) -> list[Any]:
        return list(decisions.column(name).take(index).to_pylist()) if name in names else [None] * len(rows)

    for name in PLAIN:
        for one, value in zip(found, values(name), strict=True):
            one[name] = None if value is None else clean(value)
    for name, write in (("score", _number), ("event_time", _time), ("late", bool)):
        for one, value in zip(found, values(name), strict=True):
            one[name] = write(value)
    for one, route in zip(found, values("route"), strict=True):
        route = route or {}
        for name in ("department", "priority", "rule"):
            one[name] = None if route.get(name) is None else clean(route[name])
        one["due"] = _time(route.get("due"))
    for one, reasons in zip(found, values("reasons"), strict=True):
        one["reasons"] = [short for each in reasons or () if (short := _short(each))][:REASONS]
    return found


def _short(reason: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a reason as it may be told; None for one that may be a word of the record."""
    feature, words = reason.get("feature"), reason.get("words")
    if feature is None:
        return None
    if feature.startswith(BESIDE):
        # A rule has no effect of its own; a word of a text has one, whatever it looks like.
        return {"feature": clean(feature)} if reason.get("effect") is None else None
    return {"feature": clean(feature), "words": clean(words)} if words else None


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def describe(payload: Mapping[str, Any]) -> str:
    """Say a decision in one line.

    >>> describe({"id": "C1", "task": "product", "label": "Mortgage", "action": "auto", "score": 0.914})
    'C1: product Mortgage, auto, score .914'
    """
    decided = " ".join(str(payload[name]) for name in ("task", "label") if payload.get(name))
    score = payload.get("score")
    parts = [
        decided,
        payload.get("action"),
        None if score is None else f"score {f'{score:.3f}'.removeprefix('0')}",
        "late" if payload.get("late") else None,
        payload.get("department"),
        payload.get("priority"),
        f"due {payload['due']}" if payload.get("due") else None,
        f"by {payload['rule']}" if payload.get("rule") else None,
    ]
    line = f"{payload.get('id')}: " + ", ".join(str(part) for part in parts if part)
    reasons = [_told(reason) for reason in payload.get("reasons") or ()]
    return clean(line + (f" ({'; '.join(reasons)})" if reasons else ""), 4 * LONGEST)


def _told(reason: Mapping[str, Any]) -> str:
    feature = str(reason["feature"])
    if feature.startswith(BESIDE):
        return f"rule {feature.removeprefix(BESIDE)}"
    return str(reason.get("words") or feature.replace("_", " "))
