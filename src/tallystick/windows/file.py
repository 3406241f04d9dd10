"""The file that declares windows: its YAML as plain values, with the lines at which entries begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tallystick.contracts.yaml_lines import compose, read_text
from tallystick.errors import UsageError

__all__ = ["Spots", "load", "refuse"]

NEEDS = "It needs `features:` and a list of entries."


@dataclass(frozen=True, slots=True)
class Spots:
    """Where parts of a declaration stand, for errors: in the file of that name, or in Python.

    lines: the line at which each entry of `features` and each condition begins, of a file.
    """

    name: str = "windows"
    lines: Mapping[int | str, int] = field(default_factory=dict)

    def of(self, key: int | str) -> str:
        """Name an entry of `features`, by its number from 1, or a condition, by its name.

        >>> Spots("w.yaml", {1: 4}).of(1), Spots().of("large")
        ('w.yaml, line 4 (features, entry 1)', 'windows (conditions, large)')
        """
        part = f"features, entry {key}" if isinstance(key, int) else f"conditions, {key}"
        line = f", line {self.lines[key]}" if key in self.lines else ""
        return f"{self.name}{line} ({part})"


def load(path: str | Path) -> tuple[dict[str, Any], Spots]:
    """Return what a file declares, and where; UsageError says the line where it is no YAML."""
    name, text = read_text(Path(path), "windows")
    root = compose(name, text, NEEDS)
    loader = yaml.SafeLoader("")
    declared = loader.construct_document(root)
    if not isinstance(declared, dict):
        raise UsageError(f"{name} declares nothing.", NEEDS)
    lines: dict[int | str, int] = {}
    for key, node in root.value:
        if key.value == "features" and isinstance(node, yaml.SequenceNode):
            lines |= {i: entry.start_mark.line + 1 for i, entry in enumerate(node.value, 1)}
        if key.value == "conditions" and isinstance(node, yaml.MappingNode):
            lines |= {str(word.value): word.start_mark.line + 1 for word, _ in node.value}
    return declared, Spots(name, lines)


def refuse(problems: Sequence[UsageError], name: str) -> None:
    """Raise one UsageError of all that is wrong, if anything is."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        said = "\n  ".join(f"{one.message} {one.hint}".rstrip() for one in problems)
        raise UsageError(f"{name} cannot be used, {len(problems)} things are wrong:\n  {said}")
