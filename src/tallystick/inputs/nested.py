"""Members of nested values as columns of their own, where --map names their paths: `data.object.amount`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

__all__ = ["members", "with_members"]


def members(names: Iterable[str], paths: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Give each path that starts with one of the columns and is none itself, that column, and the steps on.

    >>> list(members(["card", "a.b"], ["card.last4", "card", "a.b", "a.b.c"]))
    [('card.last4', 'card', ['last4']), ('a.b.c', 'a.b', ['c'])]
    """
    there = set(names)
    for path in paths:
        steps = path.split(".")
        for size in range(len(steps) - 1, 0, -1):  # a column's own name may hold dots
            if path not in there and (column := ".".join(steps[:size])) in there:
                yield path, column, steps[size:]
                break


def with_members(rows: pa.RecordBatch, paths: Iterable[str]) -> pa.RecordBatch:
    """Return rows with a text column for each path that starts with a column of JSON text.

    The steps of a path are names of members and numbers of list elements, from 0; null where there is none.

    >>> rows = pa.record_batch({"card": ['{"last4": "4242", "checks": [{"cvc": true}]}', None]})
    >>> with_members(rows, ["card.last4", "card.checks.0.cvc"]).to_pylist()[0]["card.checks.0.cvc"]
    'true'
    """
    for path, column, steps in members(rows.schema.names, paths):
        values = [_member(text, steps) for text in rows.column(column).cast(pa.string()).to_pylist()]
        rows = rows.append_column(path, pa.array(values, pa.string()))
    return rows


def _member(text: str | None, steps: list[str]) -> str | None:
    """Return what stands at a path in JSON text, as text; None where nothing does."""
    try:
        value: Any = _DECODER.decode(text or "null")
    except ValueError:
        return None
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Written(str):
    """A number as it was written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_float=_Written, parse_int=_Written, parse_constant=_Written)
