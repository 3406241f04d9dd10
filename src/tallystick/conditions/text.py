"""Source text of a condition: finds its names, and the character of an error."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from tallystick.errors import UsageError, did_you_mean

__all__ = ["HINT", "Written", "near"]

TOKEN = re.compile(
    r"""(?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<ticks>`[^`\n]+`)|(?P<foreign>[^\S ]|[\x00-\x1f#])"""
    r"""|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"""
    r"""|(?P<name>known\([^\W\d]\w*\)|[^\W\d]\w*(?:\+[^\W\d]\w*)*)"""
)
WORDS = {"and", "or", "not", "in"}
INSTEAD = {"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "=": "==", "&": "and", "|": "or", "!": "not"}
SHOWN = 30  # names in an error
HINT = "A condition reads like: amount > 100 and place in ['Lagos', 'Kyiv'] and not night."


def near(asked: str, known: Collection[str]) -> str:
    """Say which names are near to one that is not known, or list them; of very many only the first.

    >>> near("amout", ["amount", "place"]), near("x", [f"v{i:03}" for i in range(40)])[-18:]
    ('Did you mean "amount"?', 'v029, and 10 more.')
    """
    said = did_you_mean(asked, known)
    if len(known) <= SHOWN or said.startswith("Did"):
        return said
    return f"There are: {', '.join(sorted(known)[:SHOWN])}, and {len(known) - SHOWN} more."


class Written:
    """A condition's text with n's in the place of each name, for Python's parser.

    Python's own words and its rules for spelling names then do not matter to what a column may be called.
    `names` holds each name by the character of the text at which it stands; `source` is what Python reads.

    >>> written = Written("a > 2 and a+b__count__1d < 3", ["a", "a+b__count__1d"])
    >>> written.source, written.names
    ('n > 2 and nnnnnnnnnnnnnn < 3', {0: 'a', 10: 'a+b__count__1d'})
    """

    def __init__(self, text: str, known: Collection[str]) -> None:
        self.text, self.known = text, known
        self.names: dict[int, str] = {}
        self.indent = len(text) - len(text.lstrip())  # would be an indent to Python too
        self.source = TOKEN.sub(self._mask, re.sub(r"[\t\r\n]", " ", text))[self.indent :]

    def at(self, node: ast.AST) -> int:
        """Return the character at which a part of Python's tree stands."""
        return self._character(getattr(node, "col_offset", 0))

    def name(self, node: ast.Name) -> str:
        """Return the name that stands there."""
        return self.names[self.at(node)]

    def said(self, node: ast.expr) -> str:
        """Return the text of a part."""
        return self.text[self.at(node) : self._character(node.end_col_offset or 0)]

    def fault(self, place: int | ast.AST, problem: str, hint: str = HINT) -> UsageError:
        """Return the error that names the text, the character and what is wrong."""
        place = place if isinstance(place, int) else self.at(place)
        rest = self.text[place : place + 30]
        near = f' at character {place + 1} ("{rest}")' if rest and place else ""
        return UsageError(f'The condition "{self.text}" cannot be used{near}: {problem}.', hint)

    def unreadable(self, error: SyntaxError) -> UsageError:
        """Return the error for what Python cannot read, with what is commonly meant."""
        place = self.indent + error.offset - 1 if error.offset else len(self.text)  # 0: at its end
        for wrong, right in INSTEAD.items():
            if (wrong.isalpha() and wrong in self.names.values()) or self.text[place:].startswith(wrong):
                return self.fault(place, "this cannot be read", f'Instead of "{wrong}" write "{right}".')
        there = self.text[place:].strip()
        return self.fault(place, "this cannot be read" if there else "something is missing at its end")

    def _character(self, offset: int) -> int:
        """Return the character that an offset of `ast` means, which counts bytes."""
        return self.indent + len(self.source.encode()[:offset].decode(errors="ignore"))

    def _mask(self, match: re.Match[str]) -> str:
        said = match[0]
        if match["foreign"]:
            raise self.fault(match.start(), f"{said!r} has no meaning here")
        if match["ticks"]:
            self.names[match.start()] = said[1:-1]
            return "n" * len(said)
        return said if match["name"] is None else self._split(said, match.start())

    def _split(self, run: str, start: int) -> str:
        """Tell names that are joined by + from sums: the longest that is known is one name."""
        parts, names, i = run.split("+"), [], 0
        while i < len(parts):
            j = len(parts)
            while j > i + 1 and "+".join(parts[i:j]) not in self.known:
                j -= 1
            names.append("+".join(parts[i:j]))
            i = j
        if "__" in run and not all(name in self.known for name in names):
            names = [run]  # to the whole of it the nearer names are found
        masked = []
        for name in names:
            if name not in WORDS:
                self.names[start] = name
            masked.append(name if name in WORDS else "n" * len(name))
            start += len(name) + 1
        return "+".join(masked)
