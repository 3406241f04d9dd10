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

__all__ = ["SHOWN", "Message"]

#: How many decisions a message tells of; the others are counted.
SHOWN = 10
NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Message:
    """What goes out at once.

    source: who sends (the name of a stream); rule: the name of the rule that asked for it; notices: at least
    one, by id. The same notices make the same key and body, whenever they are sent.
    """

    source: str
    channel: str
    rule: str
    notices: tuple[Notice, ...]

    @property
    def count(self) -> int:
        """How many decisions it stands for."""
        return len(self.notices)

    @cached_property
    def key(self) -> str:
        """The same for the same notices, and for no others: by it what came twice can be known.

        Ids begin anew where a store does, so the time of the first notice is part of it.
        """
        first, last = self.notices[0], self.notices[-1]
        parts = [NOT_IN_KEYS.sub("-", self.source)[:60] or "tallystick", str(first.id), f"{first.created:x}"]
        if self.count > 1:
            ids = ",".join(str(notice.id) for notice in self.notices)
            parts += [str(last.id), hashlib.sha256(ids.encode()).hexdigest()[:12]]
        return "-".join(parts)

    @property
    def shown(self) -> Sequence[dict[str, Any]]:
        """The first decisions, as they are told."""
        return [dict(notice.payload) for notice in self.notices[:SHOWN]]

    def lines(self) -> list[str]:
        """Say what happened, a line for each decision that is shown, and one for those that are not."""
        lines = [describe(payload) for payload in self.shown]
        if self.count > SHOWN:
            lines.append(f"and {self.count - SHOWN:,} more")
        return lines

    def subject(self) -> str:
        """Say what it is about without any value of a record."""
        count = f" ({self.count:,} decisions)" if self.count > 1 else ""
        return clean(f"{self.source}: {self.rule}{count}", 150)

    def line(self) -> str:
        """Say all of it in one line."""
        lines = self.lines()
        if self.count == 1:
            return f"{clean(self.rule)}: {lines[0]}"
        return f"{clean(self.rule)}: {self.count:,} decisions: {' | '.join(lines)}"

    def body(self) -> bytes:
        """Write it as JSON: channel, rule, count, text, and the first decisions."""
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
