"""Reads YAML into nodes that know their lines, so that each error can name one.

Values are taken as they are written: `NO` stays a text, `02134` keeps its nought. Anchors and tags are
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tallystick.errors import UsageError, did_you_mean

__all__ = ["Lines", "compose", "read_text"]

LARGEST = 1_000_000  # bytes
DEEPEST = 8
VERSION = "1"
Read = TypeVar("Read")


def read_text(source: str | Path, what: str, hint: str = "") -> tuple[str, str]:
    """Return the name and the text of a file, or of a text (more than one line); UsageError says what failed.

    what: the kind of file, as errors call it (`routing`); hint: what to do where there is none.

    >>> read_text("version: 1\\n", "routing")
    ('routing', 'version: 1\\n')
    """
    if isinstance(source, str) and "\n" in source:
        return what, source
    path = Path(source)
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is too large for a {what} file: at most {LARGEST:,} bytes are read.")
        return str(path), path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {line}: this is not UTF-8.", "Save the file as UTF-8.") from None
    except OSError as error:
        raise UsageError(f'The {what} file "{path}" cannot be read: {error.strerror}.', hint) from None


def compose(name: str, text: str, needs: str) -> Any:
    """Parse YAML into nodes that know their lines.

    Raises UsageError, with the line, for what is no YAML and for what such a file has no use for.
    name: of the file; needs: what a file must have, for the error where it is empty.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            mark: Any = event.start_mark
            line = mark.line + 1
            if getattr(event, "anchor", None):  # of an alias too
                raise UsageError(f"{name}, line {line}: & and * at the start of a value cannot be used here.",
                                 "Write the value out, or in quotes.")  # fmt: skip
            if tag := getattr(event, "tag", None):
                raise UsageError(f"{name}, line {line}: {tag} cannot be used here: no value needs a tag.")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise UsageError(f"{name}, line {line}: this is nested too deeply.")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise UsageError(
            f"{name}{where}: this is not YAML: {problem}.",
            "Often a colon lacks the space after it, an indent differs, or a quote is not closed.",
        ) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UsageError(
            f"{name}, line {line}: a character that YAML does not allow: {error.reason}."
        ) from None
    if root is None:
        raise UsageError(f"{name} is empty.", needs)
    return root


@dataclass
class Lines:
    """Takes nodes apart and gathers what is wrong, with its line; `check` then says all of it at once.

    notes: what is odd, and no error.
    """

    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self, name: str) -> None:
        """Raise a UsageError that names the file and each line on which something is wrong, if any."""
        lines = [f"line {line}: {problem}" for line, problem in sorted(self.problems)]
        if len(lines) == 1:
            raise UsageError(f"{name}, {lines[0]}")
        if lines:
            raise UsageError(
                f"{name} cannot be used, {len(lines)} things are wrong:\n  " + "\n  ".join(lines)
            )

    def top(self, root: Any, allowed: Iterable[str], needed: Iterable[str]) -> dict[str, Any]:
        """Read the pairs of the whole file, whose `version`, where it is said, must be the one there is."""
        found = self.mapping(root, ("version", *allowed), "the file", needed)
        if "version" in found and (self.scalar(found["version"], "version") or VERSION) != VERSION:
            self.wrong(found["version"], f"version must be {VERSION}, the only one there is.")
        return found

    def listed(self, found: dict[str, Any], name: str, most: int) -> list[Any]:
        """Read the nodes of a list of the file, of which there must be at least one and at most so many."""
        if name not in found:
            return []
        nodes = self.items(found[name], name)
        if not nodes and not self.problems:
            self.wrong(found[name], f"{name}: there is none; leave the file out instead.")
        if len(nodes) > most:
            self.wrong(nodes[most], f"{name}: at most {most:,} are taken, here are {len(nodes):,}.")
        return nodes[:most]

    def choices(self, node: Any, where: str, names: Collection[str]) -> tuple[str | None, ...]:
        """Read what a column may say; the bare word none stands for a missing value.

        names: what it is known to say, where that is a list; another value is noted.
        """
        said: list[str | None] = []
        folded = {name.casefold() for name in names}
        for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            bare = isinstance(item, yaml.ScalarNode) and item.style is None
            if bare and item.value.lower() in ("none", "null", "~"):
                said.append(None)
                continue
            if (value := self.scalar(item, where)) is None:
                continue
            said.append(value)
            if folded and value.casefold() not in folded:
                line = item.start_mark.line + 1
                self.notes.append(
                    f'line {line}: {where}: "{value}" is not known. {did_you_mean(value, names)}'
                )
        if isinstance(node, yaml.SequenceNode) and not node.value:
            self.wrong(node, f"{where}: the list is empty.")
        return tuple(said)

    def attempt(
        self, node: Any, where: str, parse: Callable[[str], Read], said: str | None = None
    ) -> Read | None:
        """Read a value, if there is one, as `parse` does, whose ValueError says what is wrong with it.

        said: its text, where that was read before.
        """
        if said is None and node is not None:
            said = self.scalar(node, where)
        try:
            return parse(said) if said else None
        except ValueError as error:
            self.wrong(node, f'{where}: "{said}" cannot be used: {error}')
            return None

    def texts(self, node: Any, where: str) -> list[str]:
        """Read one value or a list of them; what is empty is said."""
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not items:
            self.wrong(node, f"{where}: the list is empty.")
        return [text for text in (self.scalar(item, where) for item in items) if text]

    def items(self, node: Any, where: str) -> list[Any]:
        """Read the nodes of a list; nothing at all is an empty one."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if not (
            isinstance(node, yaml.ScalarNode) and node.value == ""
        ):  # `rules:` and nothing below: no rules
            self.wrong(node, f"{where}: a list is wanted, each item after a dash.")
        return []

    def mapping(
        self, node: Any, allowed: Iterable[str], where: str, needed: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Read `key: value` pairs; unknown, double and missing keys are said."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{where}: `key: value` pairs are wanted ({', '.join(allowed)}).")
            return {}
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = self.scalar(key, where)
            if name is None:
                continue
            if name not in allowed:
                self.wrong(key, f'{where}: "{name}" is not known here. {did_you_mean(name, allowed)}')
            elif name in found:
                self.wrong(
                    key, f'{where}: "{name}" is said twice, first at line {found[name].start_mark.line + 1}.'
                )
            else:
                found[name] = value
        for name in needed:
            if name not in found:
                self.wrong(node, f'{where}: "{name}" is missing.')
        return found

    def scalar(self, node: Any, where: str) -> str | None:
        """Read one value as it is written, without the blanks around it."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, f"{where}: one value is wanted, not a list or pairs.")
        elif not node.value.strip():
            self.wrong(node, f"{where}: the value is empty.")
        else:
            return str(node.value).strip()
        return None

    def wrong(self, node: Any, problem: str) -> None:
        """Note what is wrong, with the line of the node."""
        self.problems.append((node.start_mark.line + 1, problem))
