"""The file that declares windows: YAML, small, plain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from tallystick.errors import UsageError

__all__ = ["load"]

_LARGEST: Final = 1_000_000  # bytes


def load(path: str | Path) -> dict[str, Any]:
    """Return what a file declares; UsageError says the line where it is no YAML."""
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            raise UsageError(f"{file} is too large to declare windows: at most {_LARGEST:,} bytes are read.")
        found = yaml.safe_load(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f'The windows file "{file}" cannot be read: {error.strerror}.') from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8.", "Save the file as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(
            f"{file}{where}: this is not YAML: {getattr(error, 'problem', None) or error}.",
            "Often a colon lacks the space after it, an indent differs, or a quote is not closed.",
        ) from None
    if not isinstance(found, dict):
        raise UsageError(f"{file} declares nothing.", "It needs `features:` and a list of entries.")
    return found
