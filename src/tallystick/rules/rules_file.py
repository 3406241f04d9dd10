"""Rules file: reads and checks the YAML; errors name the line.

    lists:                              # may be left out
      blocked: terminals.txt            # a file, one value a line, its place relative to this one's
      good_customers: [C1, C2]
    rules:                              # the first that holds decides
      - name: known good
        when: customer_id in good_customers and amount < 500
        action: accept                  # one of the task's actions, such as accept, review, decline
        reason: "{customer_id} is on the allow list"

What a condition may say stands in `conditions/condition.py`. A reason names values in braces, with a form
where wanted (`{amount:.2f}`, `{share:.0%}`), and stands in quotes, since a bare brace means something else to
YAML. In a list's file blank lines and what follows a `#` (at the start of a line, or behind a blank) do not
count.
All that is wrong is said at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from tallystick.conditions.condition import Condition
from tallystick.conditions.text import near
from tallystick.contracts.yaml_lines import Lines, compose, read_text
from tallystick.errors import UsageError, did_you_mean
from tallystick.rules.rule import Reason, Rule

__all__ = ["RulesContent", "read"]

MOST_RULES = 1_000
MOST_VALUES = 1_000_000
LARGEST_LIST = 100_000_000  # bytes
LONGEST_VALUE = 200  # characters
COMMENT = re.compile(r"(?:^|\s)#")
FORM = re.compile(r"[<>^]?\d{0,2}[+ ]?0?,?(\.\d)?[feg%]?")  # no width that could fill the memory
PARTS = ("name", "when", "action", "reason")
EXAMPLE = "rules:\n  - {{name: large, when: amount > 900, action: {action}, reason: large amount}}"


@dataclass(frozen=True, slots=True)
class RulesContent:
    """What a rules file holds."""

    rules: tuple[Rule, ...]
    lists: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def read(source: str | Path, known: Collection[str], actions: Sequence[str]) -> RulesContent:
    """Read and check a rules file; see `Rules.load`."""
    name, text = read_text(source, "rules", "Without --rules the model alone decides.")
    root = compose(name, text, f"It needs rules, as in:\n{EXAMPLE.format(action=actions[len(actions) // 2])}")
    folder = None if isinstance(source, str) and "\n" in source else Path(source).parent
    reader = _Reader(known=known, actions=tuple(actions), folder=folder)
    content = reader.file(root)
    reader.check(name)
    return content


@dataclass
class _Reader(Lines):
    """Turns nodes into rules and gathers what is wrong."""

    known: Collection[str] = ()
    actions: tuple[str, ...] = ()
    folder: Path | None = None
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def file(self, root: Any) -> RulesContent:
        top = self.top(root, ("lists", "rules"), ("rules",))
        if "lists" in top:
            self.read_lists(top["lists"])
        nodes = self.listed(top, "rules", MOST_RULES)
        rules = [rule for rule in map(self.rule, nodes) if rule is not None]
        self.compare(rules)
        used = frozenset[str]().union(*(rule.when.lists for rule in rules))
        self.notes += [
            f'the list "{name}" is asked for by no rule.' for name in self.lists if name not in used
        ]
        return RulesContent(tuple(rules), self.lists, tuple(self.notes))

    def compare(self, rules: list[Rule]) -> None:
        """Say which names are taken twice, and note which rules can never decide."""
        names: dict[str, int] = {}
        asked: dict[str, str] = {}
        for rule in rules:
            if rule.name in names:
                taken = f'the name "{rule.name}" is taken by the rule at line {names[rule.name]}.'
                self.problems.append((rule.line, taken))
            names.setdefault(rule.name, rule.line)
            twin = asked.setdefault(" ".join(rule.when.text.split()), rule.name)
            if twin != rule.name:
                never = f'"{rule.name}" never decides, "{twin}" asks for the same and is first.'
                self.notes.append(f"line {rule.line}: {never}")

    def rule(self, node: Any) -> Rule | None:
        parts = self.mapping(node, PARTS, "a rule", PARTS)
        if len(parts) < len(PARTS):
            return None
        name = self.scalar(parts["name"], "name") or ""
        when = self.condition(parts["when"], f'"{name}", when')
        action = self.scalar(parts["action"], f'"{name}", action')
        if action is not None and action not in self.actions:
            hint = did_you_mean(action, self.actions)
            self.wrong(parts["action"], f'"{name}": there is no action "{action}". {hint}')
        reason = self.reason(parts["reason"], f'"{name}", reason')
        if when is None or action is None or reason is None:
            return None
        return Rule(name, when, action, reason, node.start_mark.line + 1)

    def condition(self, node: Any, where: str) -> Condition | None:
        said = self.scalar(node, where)
        if said is None:
            return None
        try:
            return Condition.parse(said, self.known, self.lists)
        except UsageError as error:
            self.wrong(node, f"{where}: {error.message} {error.hint}".rstrip())
            return None

    def reason(self, node: Any, where: str) -> Reason | None:
        """Read a sentence with values in braces: names and a form, nothing that reaches further."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{where}: a text is wanted; one that has braces stands in quotes.")
            return None
        said = self.scalar(node, where)
        if said is None:
            return None
        parts: list[tuple[str, str | None, str]] = []
        try:
            written = list(Formatter().parse(said))
        except ValueError as error:
            self.wrong(node, f'{where}: "{said}" cannot be read: {error}. A brace itself is written twice.')
            return None
        for text, name, form, conversion in written:
            parts.append((text, name, form or ""))
            if name is None:
                continue
            if name not in self.known:
                self.wrong(node, f'{where}: there is no "{name}". {near(name, self.known)}')
            kind = self.known.get(name, "") if isinstance(self.known, Mapping) else ""
            if conversion or not FORM.fullmatch(form or ""):
                written_form = f"{'!' + conversion if conversion else ''}{':' + form if form else ''}"
                self.wrong(node, f'{where}: the form "{written_form}" cannot be used. Write {{{name}}}, '
                                 f"{{{name}:.2f}}, {{{name}:,.0f}} or {{{name}:.0%}}.")  # fmt: skip
            elif form and kind == "text":
                self.wrong(node, f'{where}: "{name}" is a text and takes no form: write {{{name}}}.')
        return Reason(said, tuple(parts))

    def read_lists(self, node: Any) -> None:
        if isinstance(node, yaml.MappingNode):
            names = [str(key.value).strip() for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        else:
            names = ["NAME: FILE", "NAME: [VALUE, VALUE]"]
        for name, value in self.mapping(node, names, "lists").items():
            where = f'the list "{name}"'
            if not re.fullmatch(r"[^\W\d]\w*", name):
                self.wrong(value, f"{where}: its name needs to be one word of letters, digits and _.")
            if name in self.known:
                self.wrong(value, f"{where}: its name is taken by a column or feature.")
            if isinstance(value, yaml.SequenceNode):
                self.lists[name] = tuple(self.texts(value, where))
            else:
                said = self.scalar(value, where)
                self.lists[name] = () if said is None else self.of_file(value, where, said)

    def of_file(self, node: Any, where: str, said: str) -> tuple[str, ...]:
        """Read a list's file."""
        if self.folder is None:
            self.wrong(node, f"{where}: a file's place is relative to the rules file, which has none "
                             f"here; write [{said}] for a list of values.")  # fmt: skip
            return ()
        path = self.folder / said
        try:
            found, problem = _values(path)
        except (OSError, ValueError) as error:
            found = ()
            problem = f"it cannot be read: {getattr(error, 'strerror', None) or 'this is no path'}"
        if problem:
            self.wrong(node, f'{where}: the file "{path}": {problem}. A file has one value a line, its place '
                             "is relative to the rules file; values themselves stand in [ ].")  # fmt: skip
        elif not found:
            self.notes.append(f"{where}: {path} has no value in it, so nothing is in the list.")
        return found


def _values(path: Path) -> tuple[tuple[str, ...], str]:
    """Return the values of a list's file, and what is wrong with it, if anything."""
    status = path.stat()
    if not path.is_file():
        return (), "it is no file"
    if status.st_size > LARGEST_LIST:
        return (), f"it is too large: at most {LARGEST_LIST:,} bytes are read"
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (), f"line {content[: error.start].count(10) + 1} is not UTF-8"
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        value = COMMENT.split(line, maxsplit=1)[0].strip()
        if len(value) > LONGEST_VALUE or "\0" in value:
            return (), f"line {number}: a value is a text of at most {LONGEST_VALUE} characters"
        if value:
            found[value] = None
    if len(found) > MOST_VALUES:
        return (), f"it has {len(found):,} values; at most {MOST_VALUES:,} are taken"
    return tuple(found), ""
