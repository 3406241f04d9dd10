"""Sentences: rendered beforehand in several styles, so that letters are put together by array work.

A line of the grammar is a sentence in which `[this|that]` is a choice and `<amount>` is filled in. Redactions
and amounts are written as the CFPB writes them: XXXX, XX/XX/2024, {$500.00}.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from tallystick.solutions.complaints.simulator.draws import Draws

__all__ = ["RENDERINGS", "STYLES", "Sentences"]

RENDERINGS = 40  # of each line
STYLES = 4  # as meant, hasty (with typing errors), careless, in capitals
CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"<(\w+)>")
KEPT = re.compile(r"XX|\{\$|#")  # what stays as it is in every style
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
NUMBERS = {"days": (11, 80), "n": (2, 7), "score": (20, 120), "score3": (480, 300)}  # least, how many


@dataclass
class Sentences:
    """Lines in pools: pool `i` holds count[i] lines from first[i] on."""

    lines: list[str] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)

    def pool(self, lines: Iterable[str]) -> int:
        """Add a pool and return its number."""
        self.first.append(len(self.lines))
        self.lines.extend(lines)
        self.count.append(len(self.lines) - self.first[-1])
        return len(self.first) - 1

    def render(self) -> pa.Array:
        """Render all: styles, in each the lines, of each so many renderings, one after another."""
        draws = Draws(len(self.lines))
        meant = [_fill(line, draws) for line in self.lines for _ in range(RENDERINGS)]
        hasty = [_mistype(text, draws) for text in meant]
        careless = [_each_word(text.rstrip("."), str.lower) for text in meant]
        loud = [_each_word(text, str.upper) for text in meant]
        return pa.array([*meant, *hasty, *careless, *loud], pa.large_string())


def _fill(line: str, draws: Draws) -> str:
    """Make the choices of a line, then fill its slots."""

    def choose(match: re.Match[str]) -> str:
        options = match[1].split("|")
        return options[draws.one(len(options))]

    text = SLOT.sub(lambda match: _slot(match[1], draws), CHOICE.sub(choose, line)).replace(" .", ".")
    return text[0].upper() + text[1:]


def _slot(name: str, draws: Draws) -> str:
    if name in ("amount", "small"):
        least, most = (200, (900, 3000, 9000, 40_000)[draws.one(4)]) if name == "amount" else (20, 380)
        cents = draws.one(100) if draws.one(3) == 0 else 0
        return f"{{${least + draws.one(most)}.{cents:02d}}}"
    if name == "month":
        return MONTHS[draws.one(12)]
    if name == "date":
        form = draws.one(10)
        return (
            "XX/XX/XXXX"
            if form < 3
            else f"XX/XX/{2024 + draws.one(2)}"
            if form < 9
            else _slot("month", draws)
        )
    if name == "accounts":
        account = "XXXX XXXX Account # XXXX Balance {} Opened XX/XX/{}"
        accounts = [
            account.format(_slot("amount", draws), 2016 + draws.one(9)) for _ in range(1 + draws.one(3))
        ]
        return ", ".join(accounts)
    least, many = NUMBERS[name]
    return str(least + draws.one(many))


def _each_word(text: str, change: Callable[[str], str]) -> str:
    return " ".join(word if KEPT.search(word) else change(word) for word in text.split(" "))


def _mistype(text: str, draws: Draws) -> str:
    """Put a typing error into about one word of ten: swapped, lost or doubled letters, lost apostrophes."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) < 3 or KEPT.search(word) or draws.one(10):
            continue
        at = draws.one(len(word) - 1)
        errors = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word.replace("'", "").lower(),
        )
        words[place] = errors[draws.one(4)]
    return " ".join(words)
