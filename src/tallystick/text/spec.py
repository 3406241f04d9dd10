"""Settings of text features, stored in the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tallystick.errors import UsageError, did_you_mean
from tallystick.text.letters import UNICODE

__all__ = ["TextSpec"]

MASKS = ("drop", "keep")


@dataclass(frozen=True, slots=True)
class TextSpec:
    """Which n-grams count and how they are weighed; the built-in values are scikit-learn's words (1, 2).

    words: fewest and most words of a word n-gram, or None.
    characters: fewest and most characters of an n-gram within a word, or None. The word gets a space on
        each side. Unlike scikit-learn's `char_wb`, which splits at white space only, a word here is one
        of our tokens: no punctuation, two characters or more, masks as `masks` says.
    min_df, characters_min_df: authors who must use an n-gram (characters: as min_df when None).
    max_df: largest share of authors who may use it.
    sublinear: a count n weighs 1 + ln n.
    idf: times ln((1 + authors) / (1 + df)) + 1.
    characters_weight: None scales words and characters together to length 1; a number scales each block
        to length 1, then characters by it.
    unicode: version of the frozen tables of letters; one that this package does not hold is refused.
    masks: "drop" leaves out words of x only, such as XXXX, before n-grams are made; "keep" counts them.

    >>> TextSpec(characters=(3, 5)).to_dict()["characters"]
    [3, 5]
    >>> TextSpec.from_dict({"words": [1, 1]})
    TextSpec(words=(1, 1), characters=None, min_df=2, characters_min_df=None, max_df=1.0, sublinear=True, \
idf=True, characters_weight=None, masks='keep', unicode='15.1.0')
    """

    words: tuple[int, int] | None = (1, 2)
    characters: tuple[int, int] | None = None
    min_df: int = 2
    characters_min_df: int | None = None
    max_df: float = 1.0
    sublinear: bool = True
    idf: bool = True
    characters_weight: float | None = None
    masks: str = "keep"
    unicode: str = UNICODE

    def __post_init__(self) -> None:
        if self.words is None and self.characters is None:
            raise UsageError("Neither words nor characters are to be counted.", "Give words=(1, 2).")
        for name, span in (("words", self.words), ("characters", self.characters)):
            if span is not None and not 1 <= span[0] <= span[1] <= 16:
                raise UsageError(
                    f"{name}={span} is no span of lengths.", "Give (fewest, most), from 1 to 16."
                )
        if self.masks not in MASKS:
            raise UsageError(f'masks="{self.masks}" cannot be used.', did_you_mean(self.masks, MASKS))
        if self.unicode != UNICODE:
            raise UsageError(
                f'The letters of Unicode "{self.unicode}" are asked for; there are those of {UNICODE}.',
                "Use the version of Tallystick that made the model, or train it again.",
            )
        if self.min_df < 1 or (self.characters_min_df or 1) < 1:
            raise UsageError("min_df is below 1.", "It is a number of texts: 1 keeps every n-gram.")
        if not 0 < self.max_df <= 1:
            raise UsageError(f"max_df={self.max_df} is no share.", "It lies above 0 and is at most 1.")
        if self.characters_weight is not None and not self.characters_weight > 0:
            raise UsageError(f"characters_weight={self.characters_weight} is not above 0.")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-compatible values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TextSpec:
        """Build a spec from `to_dict` output; raises UsageError for an unknown name."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UsageError(f'A text specification has no "{name}".', did_you_mean(name, known))
        given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
        return cls(**given)
