"""Notification settings: channels, and rules that select decisions for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from tallystick.notify.channel import Channel
from tallystick.notify.matcher import Matcher
from tallystick.notify.payload import payloads
from tallystick.notify.rule import NotifyRule

__all__ = ["Notify"]


@dataclass(frozen=True)
class Notify:
    """Settings of a file of notifications.

    notes: remarks that are not errors.

    >>> notify = Notify.read('''
    ... channels:
    ...   screen: {kind: console}
    ... rules:
    ...   - {name: refused, when: {action: decline}, channel: screen}
    ... ''')
    >>> batch = pa.RecordBatch.from_pydict({"id": ["P1", "P2"], "action": ["accept", "decline"]})
    >>> [(channel, payload["id"], payload["notice"]) for channel, payload in notify.notices(batch)]
    [('screen', 'P2', 'refused')]
    """

    channels: Mapping[str, Channel]
    rules: tuple[NotifyRule, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, source: str | Path, known: Mapping[str, Iterable[str]] | None = None) -> Notify:
        """Read a file, or its text (more than one line); UsageError names each wrong line.

        known: possible values of columns (`action`, `department`, …); any other makes a note.
        Secrets are read now, from the environment or the files that it names.
        """
        from tallystick.notify.file import read

        channels, rules, notes = read(source, known or {})
        return cls(channels, rules, notes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the declarations, without secrets, comments and layout."""
        content = {
            "channels": {name: channel.describe() for name, channel in sorted(self.channels.items())},
            "rules": [
                [
                    rule.name,
                    rule.channel,
                    {name: list(values) for name, values in rule.values.items()},
                    None if rule.score is None else [str(rule.score.low), str(rule.score.high)],
                    rule.late,
                    rule.group,
                    None if rule.limit is None else [rule.limit.count, rule.limit.period],
                ]
                for rule in self.rules
            ],
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def notices(self, decisions: pa.RecordBatch) -> list[tuple[str, dict[str, Any]]]:
        """Return (channel, payload) for each decision and matching rule.

        payload: plain values, ready for JSON: id, task, label, score, action, model, event_time, late,
        department, priority, due, rule (of the routing), reasons in short, and notice, the name of the rule.
        It has no text of a record, and no word of a text as a reason.
        """
        hits = self._matcher.hits(decisions)
        if not hits:
            return []
        rows = list(dict.fromkeys(row for row, _ in hits))
        payload_by_row = dict(zip(rows, payloads(decisions, rows), strict=True))
        return [
            (self.rules[rule].channel, {**payload_by_row[row], "notice": self.rules[rule].name})
            for row, rule in hits
        ]

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.rules)
