"""The databases that there are, by scheme."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tallystick.connectors.formats import found

if TYPE_CHECKING:
    from tallystick.connectors.database import Database

__all__ = ["found_databases"]


@functools.cache
def found_databases() -> dict[str, Database]:
    """Give every database by scheme, sorted.

    >>> list(found_databases())
    ['postgresql', 'sqlite']
    """
    return dict(sorted((one.scheme, one) for one in found("DATABASES")))
