"""Cache of compiled Numba kernels: check and clear stale machine code.

Numba compares a kernel only with its own source file, not with those of the kernels that it calls. So a
package's machine code is valid only as a whole: all of it newer than all of its source.
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
    """Kernels of a package that are called from Python; each includes the kernels that it calls."""

    entries: Sequence[Any]

    def _modules(self) -> list[Path]:
        return sorted(Path(self.entries[0].py_func.__code__.co_filename).parent.glob("*.py"))

    def _cached(self, pattern: str) -> list[Path]:
        return sorted(Path(self.entries[0].stats.cache_path).glob(pattern))

    def compiled(self) -> bool:
        """Return whether all kernels are newer than the package's source; compiles nothing."""
        changed = max(module.stat().st_mtime for module in self._modules())
        version = f"py{sys.version_info.major}{sys.version_info.minor}"
        for kernel in self.entries:
            function = kernel.py_func
            module = Path(function.__code__.co_filename).stem
            index_files = self._cached(f"{module}.{function.__qualname__}-*.{version}*.nbi")
            if not any(path.stat().st_mtime >= changed for path in index_files):
                return False
        return True

    def clear(self) -> None:
        """Delete the package's machine code if any of it is older than the source."""
        if not self.compiled():
            for module in self._modules():
                for path in self._cached(f"{module.stem}.*.nb[ic]"):
                    path.unlink(missing_ok=True)
