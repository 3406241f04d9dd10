"""The settings as they stand, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallystick.config import Setting, describe, load

__all__ = ["Configured", "settings"]


@dataclass(frozen=True)
class Configured:
    """Every setting with its value, its origin and what it is for."""

    settings: tuple[Setting, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"settings": {one.name: asdict(one) for one in self.settings}}


def settings(*, config: str | Path | None = None, set: Mapping[str, Any] | None = None) -> Configured:
    """Read the settings from the file, the environment and what is given."""
    return Configured(tuple(describe(*load(config, set))))
