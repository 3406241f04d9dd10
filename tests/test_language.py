"""Plain English in what users and readers see; no names of a solution in generic layers."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import tallystick
from tallystick.cli import app

SOURCE = Path(tallystick.__file__).parent

# Private words that a reader from this field would have to learn, and what to write instead.
DIALECT = {
    r"\bunheard\b": "never delivered",
    r"\b(is|are|was|were|be|been|being) told\b": "the noun: condition inputs, context, notification rules",
    r"\btravels? together\b": "per batch",
    r"\bthe ways? (through|in|out)\b": "the noun of what is meant",
    r"\bput (away|down)\b": "save, stop",
    r"\bgo(es)? on where\b": "resume",
    r"\bone of ours\b": "a contract column",
    r"\bwho(ever)? is to\b": "name the recipient",
    r"\bthe hand that\b": "the owner or writer",
    r"\bthat are nobody's\b": "synthetic",
    r"\bmay be given again\b": "repeatable",
    r"\bbehaviour in windows\b": "window features",
}
# Modules and packages whose docstrings hold to this; each joins when its prose has been rewritten.
PLAIN = ["__init__.py", "__main__.py", "app.py", "cli", "errors.py", "kernels.py", "store", "streams", "text"]

# What only a solution may name: its columns, labels and nouns.
OWN_NAMES = re.compile(
    r"known_fraud|is_fraud|terminal_id|merchant|cardholder|\bpayments?\b|\bdeclined\b", re.IGNORECASE
)
# Packages that name no solution's columns, labels or nouns; in the end all but solutions.
GENERIC = [
    "__init__.py", "__main__.py", "app.py", "calendar.py", "cli", "contracts", "durations.py", "engines",
    "errors.py", "kernels.py",
    "models", "notify", "plugins.py", "registry.py", "report", "secrets.py", "store", "streams", "text",
]  # fmt: skip


def modules(names: list[str]) -> Iterator[Path]:
    """Yield the modules of files and packages under the source folder."""
    for name in names:
        path = SOURCE / name
        assert path.exists(), f"{name} has gone: take it off the list"
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the first line of each docstring of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text.partition("\n")[0]


def dialect(text: str) -> list[str]:
    """Return each private phrase in a text with its replacement."""
    return [
        f'"{match.group()}" → {instead}'
        for pattern, instead in DIALECT.items()
        if (match := re.search(pattern, text, re.IGNORECASE))
    ]


@pytest.mark.parametrize("text", ["A model, unheard.", "Who is told of what", "Rows that travel together"])
def test_the_dialect_is_found(text: str) -> None:
    assert dialect(text)


def test_help_texts_are_plain() -> None:
    command = get_command(app)
    texts = {}
    for name, verb in command.commands.items():  # type: ignore[attr-defined]
        texts[name] = verb.help
        texts |= {f"{name} {parameter.name}": getattr(parameter, "help", None) for parameter in verb.params}
    assert len(texts) > 50
    assert {name: words for name, text in texts.items() if (words := dialect(text or ""))} == {}


def test_first_lines_of_docstrings_are_plain() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{line} {words}"
        for path in modules(PLAIN)
        for line, text in docstrings(path)
        for words in dialect(text)
    ]
    assert found == []


def test_generic_packages_name_no_solution() -> None:
    found = []
    for path in modules(GENERIC):
        source = path.read_text(encoding="utf-8")
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            named = OWN_NAMES.search(token.string)
            if named and token.type != tokenize.COMMENT:
                found.append(f'{path.relative_to(SOURCE)}:{token.start[0]} "{named.group()}"')
    assert found == []
