"""Notification file: reads and checks the YAML; errors name the line.

    channels:
      legal:  {kind: webhook, url: https://hooks.bank.example/legal, secret_env: LEGAL_HOOK_SECRET}
      screen: {kind: console}
    rules:                               # every rule that matches sends
      - name: to the lawyers             # optional
        when: {department: Legal}        # optional: without it, every decision
        channel: legal                   # one, or a list
      - when: {action: [review, decline], score: at least .9}
        channel: screen
        group: 60s
        limit: 30 per minute

`example.yaml` explains each part. Values are used as written: `no` is a text.
One error lists all mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tallystick.contracts.ranges import Range
from tallystick.contracts.yaml_lines import Lines, compose, read_text
from tallystick.errors import did_you_mean
from tallystick.notify.channel import Channel
from tallystick.notify.console import Console
from tallystick.notify.limits import Limit, duration
from tallystick.notify.mail import Mail
from tallystick.notify.rule import COLUMNS, NotifyRule
from tallystick.notify.webhook import Webhook

__all__ = ["KINDS", "read"]

KINDS: Mapping[str, type[Console] | type[Mail] | type[Webhook]] = {
    "console": Console,
    "email": Mail,
    "webhook": Webhook,
}
MOST_RULES = 200
NAME = re.compile(r"[^\W\d][\w-]{0,59}")
LONGEST_NAME = 100
FLAGS = {"true": True, "yes": True, "false": False, "no": False}
EXAMPLE = "channels:\n  screen: {kind: console}\nrules:\n  - {when: {action: decline}, channel: screen}"


def read(
    source: str | Path, known: Mapping[str, Iterable[str]]
) -> tuple[dict[str, Channel], tuple[NotifyRule, ...], tuple[str, ...]]:
    """Read and check a file of notifications: channels, rules, notes; see `Notify.read`."""
    name, text = read_text(source, "notify", "Without --notify no notifications are sent.")
    root = compose(name, text, f"It needs channels and rules, as in:\n{EXAMPLE}")
    reader = _Reader(known={column: tuple(values) for column, values in known.items()})
    reader.file(root)
    reader.check(name)
    return reader.channels, tuple(reader.rules), tuple(reader.notes)


@dataclass
class _Reader(Lines):
    """Parses nodes into channels and rules, and collects mistakes."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    rules: list[NotifyRule] = field(default_factory=list)

    def file(self, root: Any) -> None:
        top = self.top(root, ("channels", "rules"), ("channels", "rules"))
        if "channels" in top:
            self.read_channels(top["channels"])
        line_by_name: dict[str, int] = {}
        for node in self.listed(top, "rules", MOST_RULES):
            for rule in self.rule(node):
                if line_by_name.setdefault(rule.name, rule.line) != rule.line:
                    message = (
                        f'the name "{rule.name}" is taken by the rule at line {line_by_name[rule.name]}.'
                    )
                    self.wrong(node, f"{message} Use another name.")
                self.rules.append(rule)
        used = {rule.channel for rule in self.rules}
        self.notes += [f'the channel "{name}" is used by no rule.' for name in self.names if name not in used]

    def read_channels(self, node: Any) -> None:
        if isinstance(node, yaml.MappingNode):
            self.names = tuple(
                str(key.value).strip() for key, _ in node.value if isinstance(key, yaml.ScalarNode)
            )
        for name, value in self.mapping(node, self.names or ("NAME: {kind: …}",), "channels").items():
            if not NAME.fullmatch(name):
                self.wrong(
                    value, f'the channel "{name}": its name needs to be one word of letters, digits, _ and -.'
                )
            if channel := self.channel(name, value):
                self.channels[name] = channel

    def channel(self, name: str, node: Any) -> Channel | None:
        context = f'the channel "{name}"'
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        kind_node = next((value for key, value in pairs if getattr(key, "value", None) == "kind"), None)
        kind = None if kind_node is None else self.scalar(kind_node, f"{context}, kind")
        if kind is None or kind not in KINDS:
            if kind is not None:
                self.wrong(kind_node, f'{context}: there is no kind "{kind}". {did_you_mean(kind, KINDS)}')
            elif kind_node is None:
                keys = (
                    "kind",
                    *dict.fromkeys(key for channel_type in KINDS.values() for key in channel_type.KEYS),
                )
                self.mapping(node, keys, context, ("kind",))
            return None
        channel_class = KINDS[kind]
        problem_count = len(self.problems)
        parts = self.mapping(node, ("kind", *channel_class.KEYS), context, ("kind", *channel_class.NEEDED))
        if len(self.problems) > problem_count:
            return None
        channel: Channel = channel_class.read(name, parts, self)
        if isinstance(channel, Webhook) and channel.url.startswith("http://"):
            self.notes.append(f"{context}: messages to an http:// address are not encrypted.")
        return channel

    def rule(self, node: Any) -> list[NotifyRule]:
        """Read a rule, once for each channel that it names."""
        parts = self.mapping(node, ("name", "when", "channel", "group", "limit"), "a rule", ("channel",))
        if not parts:
            return []
        conditions = (
            {} if "when" not in parts else self.mapping(parts["when"], (*COLUMNS, "score", "late"), "when")
        )
        if "when" in parts and not conditions:
            if isinstance(parts["when"], yaml.MappingNode) and not parts["when"].value:
                self.wrong(parts["when"], "when is empty; omit it to match every decision.")
            return []
        values = {
            key: self.choices(conditions[key], f"when, {key}", self.known.get(key, ()))
            for key in conditions
            if key in COLUMNS
        }
        score = self.attempt(conditions.get("score"), "score", Range.read)
        late = None
        if "late" in conditions:
            flag = (self.scalar(conditions["late"], "late") or "").lower()
            late = FLAGS.get(flag)
            if flag and late is None:
                self.wrong(conditions["late"], f'late: "{flag}" cannot be used: use true or false.')
        name = self.scalar(parts["name"], "name") if "name" in parts else _named(conditions)
        if name is not None and len(name) > LONGEST_NAME and "name" in parts:
            self.wrong(parts["name"], f"name: at most {LONGEST_NAME} characters are taken.")
        group = self.attempt(parts.get("group"), "group", duration) or 0
        limit = self.attempt(parts.get("limit"), "limit", Limit.read)
        channels = self.texts(parts["channel"], "channel") if "channel" in parts else []
        for channel in channels:
            if channel not in self.names:
                self.wrong(
                    parts["channel"], f'there is no channel "{channel}". {did_you_mean(channel, self.names)}'
                )
        line = node.start_mark.line + 1
        return [
            NotifyRule(name or "", channel, values, score, late, group, limit, line)
            for channel in dict.fromkeys(channels)
        ]


def _named(conditions: Mapping[str, Any]) -> str:
    """Name a rule by its conditions."""
    parts = []
    for key, node in conditions.items():
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        parts.append(f"{key} " + " or ".join(str(item.value).strip() for item in items))
    name = ", ".join(parts) or "every decision"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
