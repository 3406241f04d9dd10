"""Routing file: reads and checks the YAML; errors name the line.

Values are taken as they are written: `NO` stays a state, `02134` a ZIP code. All that is wrong is said
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import yaml

from tallystick.conditions.keyword_automaton import Clause, plain
from tallystick.contracts.ranges import Range, amount
from tallystick.contracts.yaml_lines import Lines, compose, read_text
from tallystick.errors import did_you_mean
from tallystick.rules.routing_rule import PRIORITIES, RoutingRule
from tallystick.rules.routing_terms import Due

__all__ = ["RoutingContent", "read", "write"]

MOST_WORDS = 20_000
WORDS = {"words": "any_of", "all words": "all_of", "no words": "none_of"}


@dataclass(frozen=True, slots=True)
class RoutingContent:
    """What a routing file holds; `document` has it as plain values, for a bundle."""

    document: Mapping[str, Any]
    rules: tuple[RoutingRule, ...]
    default: RoutingRule
    notes: tuple[str, ...]


def read(
    source: str | Path,
    *,
    label: str,
    columns: Iterable[str],
    known: Mapping[str, Iterable[str]],
    several: Iterable[str],
    decimals: int,
) -> RoutingContent:
    """Read and check a routing file; see `Routing.load`."""
    name, text = read_text(source, "routing", "Without one, the solution's own is used.")
    root = compose(name, text, "It needs `version: 1`, a `default` and, mostly, `rules`.")
    reader = _Reader(
        label=label,
        columns=(frozenset(columns) | {"action"}) - {label},
        known={k: tuple(v) for k, v in known.items()},
        several=frozenset(several),
        decimals=decimals,
    )
    content = reader.routing(root)
    reader.check(name)
    return cast("RoutingContent", content)  # None only where something is wrong


def write(document: Mapping[str, Any]) -> str:
    """Write the content of a routing file as YAML.

    >>> write({"version": 1})
    'version: 1\\n'
    """
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Dumper(yaml.SafeDumper):
    """Quotes the text "none", which bare would be read as a missing value."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> Any:
    style = "'" if text.lower() == "none" else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


@dataclass
class _Reader(Lines):
    """Turns nodes into rules and gathers what is wrong."""

    label: str = "label"
    columns: frozenset[str] = frozenset()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    several: frozenset[str] = frozenset()
    decimals: int = 2
    departments: tuple[str, ...] = ()
    words: int = 0

    def routing(self, root: Any) -> RoutingContent | None:
        top = self.top(root, ("departments", "default", "rules"), ("version", "default"))
        document: dict[str, Any] = {"version": 1}
        if "departments" in top:
            self.departments = tuple(self.texts(top["departments"], "departments"))
            document["departments"] = list(self.departments)
        default, document["default"] = (
            self.then(top["default"], "default", None) if "default" in top else (None, {})
        )
        if default is None:
            return None
        rules: list[RoutingRule] = []
        document["rules"] = []
        seen: dict[str, int] = {}
        met: dict[str, str] = {}
        for node in self.items(top["rules"], "rules") if "rules" in top else []:
            rule, written = self.rule(node, default)
            if rule is None:
                continue
            line = node.start_mark.line + 1
            if rule.name in seen:
                self.wrong(node, f'the name "{rule.name}" is taken by the rule at line {seen[rule.name]}.')
            twin = met.setdefault(repr(written["when"]), rule.name)
            if twin != rule.name:
                self.notes.append(
                    f'line {line}: "{rule.name}" never applies, "{twin}" asks for the same and is first.'
                )
            seen.setdefault(rule.name, line)
            rules.append(rule)
            document["rules"].append(written)
        return RoutingContent(document, tuple(rules), default, tuple(self.notes))

    def rule(self, node: Any, default: RoutingRule) -> tuple[RoutingRule | None, dict[str, Any]]:
        parts = self.mapping(node, ("name", "when", "then"), "a rule", ("name", "when", "then"))
        if len(parts) < 3:
            return None, {}
        name = self.scalar(parts["name"], "name") or ""
        then, written = self.then(parts["then"], name, default)
        allowed = (self.label, *WORDS, "amount", "certainty", *sorted(self.columns))
        conditions = self.mapping(parts["when"], allowed, f'"{name}", when')
        if not conditions and isinstance(parts["when"], yaml.MappingNode) and not parts["when"].value:
            self.wrong(parts["when"], f'"{name}": when is empty; what holds for all belongs to the default.')
        values: dict[str, tuple[str | None, ...]] = {}
        ranges: dict[str, Range | None] = {}
        clause: dict[str, tuple[str, ...]] = {}
        when: dict[str, Any] = {}
        for key, value in conditions.items():
            if key in WORDS:
                clause[WORDS[key]] = self.phrases(value, f'"{name}", {key}')
                when[key] = list(clause[WORDS[key]])
            elif key in ("amount", "certainty"):
                said = self.scalar(value, key) or ""
                parse = self.amounts if key == "amount" else Range.read
                ranges[key] = self.attempt(value, f'"{name}", {key}', parse, said)
                when[key] = said
            else:
                values[key] = self.choices(value, f'"{name}", {key}', self.known.get(key, ()))
                when[key] = list(values[key])
        if then is None:
            return None, {}
        rule = RoutingRule(
            name, then.department, then.priority, then.due, values, Clause(**clause), **ranges,
            several=self.several & set(values),
        )  # fmt: skip
        return rule, {"name": name, "when": when, "then": written}

    def then(
        self, node: Any, name: str, default: RoutingRule | None
    ) -> tuple[RoutingRule | None, dict[str, Any]]:
        """Read what becomes of a decision; what it leaves out is as in the default."""
        needed = () if default else ("department", "priority", "due")
        parts = self.mapping(
            node, ("department", "priority", "due"), f'"{name}", then' if default else name, needed
        )
        if len(parts) < max(len(needed), 1):
            if default and isinstance(node, yaml.MappingNode) and not node.value:
                self.wrong(node, f'"{name}": then is empty; it needs a department, a priority or a due time.')
            return None, {}
        written = {key: self.scalar(value, key) or "" for key, value in parts.items()}
        if self.departments and written.get("department", self.departments[0]) not in self.departments:
            hint = did_you_mean(written["department"], self.departments)
            self.wrong(parts["department"], f'"{written["department"]}" is not among the departments. {hint}')
        if written.get("priority", "low") not in PRIORITIES:
            hint = did_you_mean(written["priority"], PRIORITIES)
            self.wrong(parts["priority"], f'there is no priority "{written["priority"]}". {hint}')
        due = default.due if default else None
        if "due" in parts:
            due = self.attempt(parts["due"], f'"{name}", due', Due.read, written["due"])
        return RoutingRule(
            name,
            written.get("department") or (default.department if default else ""),
            written.get("priority") or (default.priority if default else ""),
            due,
        ), written

    def amounts(self, said: str) -> Range:
        """Read a range of amounts into minor units."""
        return Range.read(said, partial(amount, decimals=self.decimals), "over 1000, at least 50, below 20")

    def phrases(self, node: Any, where: str) -> tuple[str, ...]:
        phrases = self.texts(node, where)
        for phrase in phrases:
            if not plain(phrase):
                self.wrong(node, f'{where}: "{phrase}" holds no letter and no digit.')
            elif max(plain(phrase)) >= "\U00010000":
                self.wrong(node, f'{where}: "{phrase}" holds a letter that cannot be looked for.')
        self.words += len(phrases)
        if self.words > MOST_WORDS:
            self.wrong(node, f"{where}: there are more than {MOST_WORDS:,} words in all.")
        return tuple(phrases)
