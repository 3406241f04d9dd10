"""How delimited text is written: what separates values, what quotes them, and how a quote stands within."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.config import Settings

__all__ = ["Dialect"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How delimited text is written, each sign a byte.

    backslash: whether a quote within quotes has a backslash before it; a doubled one is a quote in any case.
    """

    delimiter: bytes = b","
    quote: bytes = b'"'
    backslash: bool = False

    @classmethod
    def of(cls, delimiter: str, settings: Settings) -> Dialect:
        """Take the signs that the settings name."""
        return cls(delimiter.encode(), settings.quote.encode(), settings.escape == "backslash")
