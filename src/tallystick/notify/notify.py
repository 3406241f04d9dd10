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
from tallystick.notify.match import Matcher
from tallystick.notify.payload import payloads
from tallystick.notify.rule import Rule

__all__ = ["Notify"]


@dataclass(frozen=True)
class Notify:
    """What a file of notifications says.

    notes: what is odd about it, though nothing is wrong.

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
    rules: tuple[Rule, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, source: str | Path, known: Mapping[str, Iterable[str]] | None = None) -> Notify:
        """Read a file, or its text (more than one line); UsageError names each line that is wrong.

        known: values that a column is known to have (`action`, `department`, …), any other makes a note.
        Secrets are taken from the environment, or the files that it names, now.
        """
        from tallystick.notify.file import read

        channels, rules, notes = read(source, known or {})
        return cls(channels, rules, notes)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of what is declared, without secrets; comments and layout do not count."""
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
        """Return who is to hear of which decisions: (channel, payload), each rule that fits for itself.

        payload: plain values, ready for JSON: id, task, label, score, action, model, event_time, late,
        department, priority, due, rule (of the routing), reasons in short, and notice, the name of the rule
        that asked for it. No text of a record is in it, and no word of a text as a reason.
        """
        hits = self._matcher.hits(decisions)
        if not hits:
            return []
        rows = list(dict.fromkeys(row for row, _ in hits))
        told = dict(zip(rows, payloads(decisions, rows), strict=True))
        return [
            (self.rules[rule].channel, {**told[row], "notice": self.rules[rule].name}) for row, rule in hits
        ]

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.rules)
