"""What every benchmark shares: one JSON line for each claim, times side by side, and the data."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def data() -> Path:
    """The folder of public data sets; without it there is nothing to measure, so the run ends here."""
    folder = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"no public data at {folder}: set TALLYSTICK_DATA to a folder that holds it")
    return folder


def alternate(ours: Callable[[], Any], peer: Callable[[], Any], rounds: int = 5) -> tuple[float, float]:
    """Seconds that each of the two takes at its best, run in turn so that both meet the same machine."""
    best = [float("inf"), float("inf")]
    for work in (ours, peer):  # once unmeasured: caches, lazy imports, page faults
        work()
    for _ in range(rounds):
        for side, work in enumerate((ours, peer)):
            gc.collect()
            start = time.perf_counter()
            work()
            best[side] = min(best[side], time.perf_counter() - start)
    return best[0], best[1]


def claim(name: str, ours: float, peer: float, *, unit: str, what: str, cores: int = 1) -> float:
    """Print one claim as one JSON line, and return ours ÷ peer (a rate grows with it, a time shrinks)."""
    ratio = ours / peer
    line = {
        "claim": name,
        "ours": float(f"{ours:.5g}"),
        "peer": float(f"{peer:.5g}"),
        "ratio": float(f"{ratio:.4g}"),
        "unit": unit,
        "cores": cores,
        "what": what,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return ratio
