"""File formats of known origin: recognised by their headings, which may mean something else elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tallystick import durations
from tallystick.contracts.column import fold

__all__ = ["Format", "recognised"]


@dataclass(frozen=True, slots=True)
class Format:
    """One make of file: the headings that it is known by, and the length of a step where its time counts.

    `names` pairs headings with our names where they mean that in this make alone (`Class` is a label in one
    file and a category in the next). `time` is the heading that counts steps of length `step`: `1s`, `1h`.
    Raises ValueError for a step that is no length of time, or without a heading.

    >>> Format("PaySim", ("step", "nameOrig"), time="step", step="1h").micros
    3600000000
    """

    name: str
    columns: tuple[str, ...]
    names: tuple[tuple[str, str], ...] = ()
    time: str = ""
    step: str = ""

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError(f"{self.name}: a format is known by its headings")
        if bool(self.time) != bool(self.step):
            raise ValueError(f"{self.name}: a time that counts and the length of a step go together")
        if self.step:
            durations.parse(self.step)

    @property
    def micros(self) -> int:
        """Return the length of a step in microseconds, 0 where nothing counts."""
        return durations.parse(self.step) if self.step else 0


def recognised(formats: Iterable[Format], names: Collection[str]) -> Format | None:
    """Return the first format whose headings are all there, compared by letters and digits alone.

    >>> recognised([Format("ULB", ("Time", "V1"))], ["time", "v1", "amount"]).name
    'ULB'
    """
    folded = {fold(name) for name in names}
    return next((one for one in formats if all(fold(name) in folded for name in one.columns)), None)
