"""The fast way through JSON messages: flat objects that name their members in one order, as in a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.connectors.json_flat import FlatLines, Lines

__all__ = ["FlatJsonReader", "Part"]

#: Which of the messages, and their columns by name.
Part = tuple[NDArray[np.int64], dict[str, pa.Array]]

_SPACE = b" \t\r\n"


class FlatJsonReader:
    """Takes messages of one topic apart; what it learned from some helps with the next."""

    def __init__(self) -> None:
        self._flat = FlatLines()

    def parts(self, values: Sequence[bytes | None]) -> tuple[list[Part], list[int]]:
        """Take apart what can be; and name those that have to be read in another way.

        A message without a value is in neither.
        """
        places = [place for place, value in enumerate(values) if value is not None]
        lines = Lines.of(b"\n".join([values[place] for place in places]))  # type: ignore[misc] # none is None
        if len(lines) != len(places) or lines.ends != len(places) - 1:
            # A message of several lines, or of none, is no line.
            strange = [place for place in places if _is_no_line(values[place] or b"")]
            others = sorted(set(places) - set(strange))
            if not others:
                return [], strange
            parts, rest = self.parts([values[place] for place in others])
            back = np.array(others, np.int64)
            return [(back[at], columns) for at, columns in parts], sorted(
                [*strange, *(others[at] for at in rest)]
            )
        found, left = self._flat.read(lines, 0, len(lines))
        back = np.array(places, np.int64)
        return [(back[part.places], part.columns) for part in found], back[left].tolist()


def _is_no_line(value: bytes) -> bool:
    return b"\n" in value or not value.strip(_SPACE)
