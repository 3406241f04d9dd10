"""Numba's machine code on disk: whether it is as new as the source of its package, and away with it if not.

Numba looks only at the file that a kernel stands in, not at those of the kernels that it calls. So a
package's machine code is taken together: all of it is as new as all of its source, or none of it counts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Kernels"]


@dataclass(frozen=True)
class Kernels:
    """The kernels of a package that Python calls; each holds the code of those that it calls."""

    entries: Sequence[Any]

    def _modules(self) -> list[Path]:
        return sorted(Path(self.entries[0].py_func.__code__.co_filename).parent.glob("*.py"))

    def _cached(self, pattern: str) -> list[Path]:
        return sorted(Path(self.entries[0].stats.cache_path).glob(pattern))

    def compiled(self) -> bool:
        """Say whether all were compiled since the package was last changed, without compiling any."""
        changed = max(module.stat().st_mtime for module in self._modules())
        version = f"py{sys.version_info.major}{sys.version_info.minor}"
        for kernel in self.entries:
            function = kernel.py_func
            module = Path(function.__code__.co_filename).stem
            found = self._cached(f"{module}.{function.__qualname__}-*.{version}*.nbi")
            if not any(path.stat().st_mtime >= changed for path in found):
                return False
        return True

    def clear(self) -> None:
        """Throw the package's machine code away, unless all of it is as new as the source."""
        if not self.compiled():
            for module in self._modules():
                for path in self._cached(f"{module.stem}.*.nb[ic]"):
                    path.unlink(missing_ok=True)
