"""Payload of a notification: the decision and its reasons in short, never a text of the record.

The solution writes the text of a reason from a feature's name and a number. A reason without a text has only
a feature; where texts are classified that is a word of the text, which is never sent. A rule of `--rules` is
named, without its sentence, which may quote the record.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tallystick.notify.matcher import RULE_PREFIX

__all__ = ["clean", "describe", "payloads"]

TEXT_COLUMNS = ("id", "task", "label", "action", "model")
REASONS = 5
LONGEST = 200  # characters of one value
NOT_SHOWN = re.compile(r"[^\S ]+| {2,}")


def clean(text: str, longest: int = LONGEST) -> str:
    """Return a text as one line, short and without control characters.

    >>> clean("a\\r\\nBcc: b\\x1b[2J")
    'a Bcc: b?[2J'
    """
    line = NOT_SHOWN.sub(" ", text[: 4 * longest]).strip()
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def payloads(decisions: pa.RecordBatch, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Return the payloads of decisions: values ready for JSON."""
    index = pa.array(rows, pa.int64())
    payloads: list[dict[str, Any]] = [{} for _ in rows]
    names = decisions.schema.names

    def values(name: str) -> list[Any]:
        return list(decisions.column(name).take(index).to_pylist()) if name in names else [None] * len(rows)

    for name in TEXT_COLUMNS:
        for payload, value in zip(payloads, values(name), strict=True):
            payload[name] = None if value is None else clean(value)
    for name, write in (("score", _number), ("event_time", _time), ("late", bool)):
        for payload, value in zip(payloads, values(name), strict=True):
            payload[name] = write(value)
    for payload, route in zip(payloads, values("route"), strict=True):
        route = route or {}
        for name in ("department", "priority", "rule"):
            payload[name] = None if route.get(name) is None else clean(route[name])
        payload["due"] = _time(route.get("due"))
    for payload, reasons in zip(payloads, values("reasons"), strict=True):
        payload["reasons"] = [
            reason_payload for reason in reasons or () if (reason_payload := _payload_reason(reason))
        ][:REASONS]
    return payloads


def _payload_reason(reason: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a reason without texts of the record; None for a word of the record."""
    feature, words = reason.get("feature"), reason.get("words")
    if feature is None:
        return None
    if feature.startswith(RULE_PREFIX):
        # A rule has no effect; a word of a text has one, whatever its name.
        return {"feature": clean(feature)} if reason.get("effect") is None else None
    return {"feature": clean(feature), "words": clean(words)} if words else None


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 6)


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def describe(payload: Mapping[str, Any]) -> str:
    """Describe a decision in one line.

    >>> describe({"id": "C1", "task": "product", "label": "Mortgage", "action": "auto", "score": 0.914})
    'C1: product Mortgage, auto, score .914'
    """
    task_and_label = " ".join(str(payload[name]) for name in ("task", "label") if payload.get(name))
    score = payload.get("score")
    parts = [
        task_and_label,
        payload.get("action"),
        None if score is None else f"score {f'{score:.3f}'.removeprefix('0')}",
        "late" if payload.get("late") else None,
        payload.get("department"),
        payload.get("priority"),
        f"due {payload['due']}" if payload.get("due") else None,
        f"by {payload['rule']}" if payload.get("rule") else None,
    ]
    line = f"{payload.get('id')}: " + ", ".join(str(part) for part in parts if part)
    reasons = [_describe_reason(reason) for reason in payload.get("reasons") or ()]
    return clean(line + (f" ({'; '.join(reasons)})" if reasons else ""), 4 * LONGEST)


def _describe_reason(reason: Mapping[str, Any]) -> str:
    feature = str(reason["feature"])
    if feature.startswith(RULE_PREFIX):
        return f"rule {feature.removeprefix(RULE_PREFIX)}"
    return str(reason.get("words") or feature.replace("_", " "))
