"""Message: one notice or a group of them, formatted for each kind of channel."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tallystick.notify.outbox import Notice
from tallystick.notify.payload import clean, describe

__all__ = ["MAX_DECISIONS", "Message"]

#: Decisions shown in a message; the others are counted.
MAX_DECISIONS = 10
INVALID_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Message:
    """One message of a channel.

    source: the sender (name of a stream); rule: name of the rule; notices: at least one, by id. The same
    notices always make the same key and body.
    """

    source: str
    channel: str
    rule: str
    notices: tuple[Notice, ...]

    @property
    def count(self) -> int:
        """Number of decisions."""
        return len(self.notices)

    @cached_property
    def key(self) -> str:
        """Key of the notices, by which receivers recognise duplicates.

        A new store numbers from 1, so the time of the first notice is part of the key.
        """
        first, last = self.notices[0], self.notices[-1]
        parts = [
            INVALID_IN_KEYS.sub("-", self.source)[:60] or "tallystick",
            str(first.id),
            f"{first.created:x}",
        ]
        if self.count > 1:
            ids = ",".join(str(notice.id) for notice in self.notices)
            parts += [str(last.id), hashlib.sha256(ids.encode()).hexdigest()[:12]]
        return "-".join(parts)

    @property
    def shown(self) -> Sequence[dict[str, Any]]:
        """Payloads of the first decisions."""
        return [dict(notice.payload) for notice in self.notices[:MAX_DECISIONS]]

    def lines(self) -> list[str]:
        """Return a line for each shown decision, and one with the number of others."""
        lines = [describe(payload) for payload in self.shown]
        if self.count > MAX_DECISIONS:
            lines.append(f"and {self.count - MAX_DECISIONS:,} more")
        return lines

    def subject(self) -> str:
        """Return a subject without values of records."""
        count = f" ({self.count:,} decisions)" if self.count > 1 else ""
        return clean(f"{self.source}: {self.rule}{count}", 150)

    def line(self) -> str:
        """Return the whole message in one line."""
        lines = self.lines()
        if self.count == 1:
            return f"{clean(self.rule)}: {lines[0]}"
        return f"{clean(self.rule)}: {self.count:,} decisions: {' | '.join(lines)}"

    def body(self) -> bytes:
        """Serialise as JSON: channel, rule, count, text, and the first decisions."""
        document = {
            "source": self.source,
            "channel": self.channel,
            "notice": self.rule,
            "count": self.count,
            "text": self.line(),
            "decisions": self.shown,
        }
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")
