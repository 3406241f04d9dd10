"""Notification file: reads and checks the YAML; errors name the line.

    channels:
      legal:  {kind: webhook, url: https://hooks.bank.example/legal, secret_env: LEGAL_HOOK_SECRET}
      screen: {kind: console}
    rules:                               # every rule that fits sends
      - name: to the lawyers             # may be left out
        when: {department: Legal}        # may be left out: every decision
        channel: legal                   # one, or a list
      - when: {action: [review, decline], score: at least .9}
        channel: screen
        group: 60s
        limit: 30 per minute

`example.yaml` beside this says what each part means. Values are taken as they are written: `no` stays a text.
All that is wrong is said at once.
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
from tallystick.notify.mail import Mail
from tallystick.notify.rule import COLUMNS, Rule
from tallystick.notify.terms import Limit, duration
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
) -> tuple[dict[str, Channel], tuple[Rule, ...], tuple[str, ...]]:
    """Read and check a file of notifications: channels, rules, notes; see `Notify.read`."""
    name, text = read_text(source, "notify", "Without --notify nobody is told.")
    root = compose(name, text, f"It needs channels and rules, as in:\n{EXAMPLE}")
    reader = _Reader(known={column: tuple(values) for column, values in known.items()})
    reader.file(root)
    reader.check(name)
    return reader.channels, tuple(reader.rules), tuple(reader.notes)


@dataclass
class _Reader(Lines):
    """Turns nodes into channels and rules and gathers what is wrong."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    rules: list[Rule] = field(default_factory=list)

    def file(self, root: Any) -> None:
        top = self.top(root, ("channels", "rules"), ("channels", "rules"))
        if "channels" in top:
            self.read_channels(top["channels"])
        seen: dict[str, int] = {}
        for node in self.listed(top, "rules", MOST_RULES):
            for rule in self.rule(node):
                if seen.setdefault(rule.name, rule.line) != rule.line:
                    taken = f'the name "{rule.name}" is taken by the rule at line {seen[rule.name]}.'
                    self.wrong(node, f"{taken} Give it another one.")
                self.rules.append(rule)
        used = {rule.channel for rule in self.rules}
        self.notes += [
            f'the channel "{name}" is named by no rule.' for name in self.names if name not in used
        ]

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
        where = f'the channel "{name}"'
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        said = next((value for key, value in pairs if getattr(key, "value", None) == "kind"), None)
        kind = None if said is None else self.scalar(said, f"{where}, kind")
        if kind is None or kind not in KINDS:
            if kind is not None:
                self.wrong(said, f'{where}: there is no kind "{kind}". {did_you_mean(kind, KINDS)}')
            elif said is None:
                keys = ("kind", *dict.fromkeys(key for one in KINDS.values() for key in one.KEYS))
                self.mapping(node, keys, where, ("kind",))
            return None
        declared = KINDS[kind]
        before = len(self.problems)
        parts = self.mapping(node, ("kind", *declared.KEYS), where, ("kind", *declared.NEEDED))
        if len(self.problems) > before:
            return None
        channel: Channel = declared.read(name, parts, self)
        if isinstance(channel, Webhook) and channel.url.startswith("http://"):
            self.notes.append(f"{where}: what goes to an http:// address can be read on its way.")
        return channel

    def rule(self, node: Any) -> list[Rule]:
        """Read a rule, once for each channel that it names."""
        parts = self.mapping(node, ("name", "when", "channel", "group", "limit"), "a rule", ("channel",))
        if not parts:
            return []
        asked = (
            {} if "when" not in parts else self.mapping(parts["when"], (*COLUMNS, "score", "late"), "when")
        )
        if "when" in parts and not asked:
            if isinstance(parts["when"], yaml.MappingNode) and not parts["when"].value:
                self.wrong(parts["when"], "when is empty; leave it out where every decision is meant.")
            return []
        values = {
            key: self.choices(asked[key], f"when, {key}", self.known.get(key, ()))
            for key in asked
            if key in COLUMNS
        }
        score = self.attempt(asked.get("score"), "score", Range.read)
        late = None
        if "late" in asked:
            said = (self.scalar(asked["late"], "late") or "").lower()
            late = FLAGS.get(said)
            if said and late is None:
                self.wrong(asked["late"], f'late: "{said}" cannot be used: write true or false.')
        name = self.scalar(parts["name"], "name") if "name" in parts else _named(asked)
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
            Rule(name or "", channel, values, score, late, group, limit, line)
            for channel in dict.fromkeys(channels)
        ]


def _named(asked: Mapping[str, Any]) -> str:
    """Name a rule by what it asks for."""
    parts = []
    for key, node in asked.items():
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        parts.append(f"{key} " + " or ".join(str(item.value).strip() for item in items))
    name = ", ".join(parts) or "every decision"
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
