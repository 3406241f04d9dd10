"""What a reader wants said about its input, though nothing is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["Notes"]


class Notes:
    """Sentences, each once; a sentence with `{n}` counts how often it was said.

    >>> notes = Notes()
    >>> for _ in range(2):
    ...     notes.say("a.csv: {n} records were read as Windows-1252")
    >>> notes.lines()
    ('a.csv: 2 records were read as Windows-1252',)
    """

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()

    def say(self, sentence: str, times: int = 1) -> None:
        """Add a sentence, or count one more of it."""
        self._said[sentence] += times

    def add(self, counted: Iterable[tuple[str, int]]) -> None:
        """Add sentences, each with how often it was said."""
        for sentence, times in counted:
            self.say(sentence, times)

    def drain(self) -> tuple[tuple[str, int], ...]:
        """Give what was said, with how often, and forget it."""
        said, self._said = self._said, Counter()
        return tuple(said.items())

    def lines(self) -> tuple[str, ...]:
        """Give the sentences in the order in which each was first said; another thread may go on saying."""
        return tuple(text.replace("{n}", str(count)) for text, count in [*self._said.items()])
