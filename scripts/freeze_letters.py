"""Freeze what Python knows about characters into the package: `python scripts/freeze_letters.py`.

Run it with the newest Python at hand: its Unicode version names the folder that is written, and
`UNICODE` in src/tallystick/text/letters.py chooses the folder that is read. A new folder changes the
tokens of texts with newly assigned letters, so a TextSpec names the version that it was fitted with.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np

WORD, CASED, IGNORABLE = 1, 2, 4
DOTTED_I = 0x130  # the only character whose lower case is two characters: i and a combining dot
SIGMA = 0x3A3


def kind(point: int) -> tuple[int, int]:
    """Flags of the character, and how far its lower case lies from it.

    `cased` and `ignorable` are not in unicodedata; str.lower shows them, since it lowers a sigma by them.
    """
    if 0xD800 <= point < 0xE000:  # surrogates are not characters, and UTF-8 cannot hold them
        return 0, 0
    char = chr(point)
    lower = char.lower()
    if len(lower) != 1 and point != DOTTED_I:
        sys.exit(f"U+{point:04X} lowers to {len(lower)} characters; the kernel knows only U+0130 to do so")
    cased = (char + chr(SIGMA)).lower()[-1] == "ς"
    ignorable = not cased and ("a" + char + chr(SIGMA)).lower()[-1] == "ς"
    flags = WORD * (char.isalnum() or char == "_") + CASED * cased + IGNORABLE * ignorable
    return flags, ord(lower[0]) - point


def main() -> None:
    """Write page_of (block → page), pages (character → kind) and kinds (flags, distance to lower case)."""
    kinds: dict[tuple[int, int], int] = {(0, 0): 0}
    points = np.array([kinds.setdefault(kind(p), len(kinds)) for p in range(0x110000)])
    if len(kinds) > 256:
        sys.exit(f"{len(kinds)} kinds do not fit a byte")
    pages, page_of = np.unique(points.reshape(-1, 256).astype(np.uint8), axis=0, return_inverse=True)
    if len(pages) > 256:
        sys.exit(f"{len(pages)} pages do not fit a byte")
    version = unicodedata.unidata_version.replace(".", "_")
    folder = Path(__file__).parents[1] / "src" / "tallystick" / "text" / f"unicode_{version}"
    folder.mkdir(exist_ok=True)
    np.save(folder / "page_of.npy", page_of.reshape(-1).astype(np.uint8))
    np.save(folder / "pages.npy", pages)
    np.save(folder / "kinds.npy", np.array(list(kinds), dtype=np.int32))
    sys.stdout.write(f"{folder}: {len(pages)} pages, {len(kinds)} kinds\n")


if __name__ == "__main__":
    main()
