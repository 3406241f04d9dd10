"""Compile the kernels ahead, so that no first call waits.

`make setup` runs it, and so does the first command that needs it:

    python -m tallystick.jobs.prepare
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

__all__ = ["prepare", "prepared"]

ROWS = 300


def prepared() -> bool:
    """Say whether the kernels are compiled, without compiling any."""
    from tallystick.text import compiled

    return compiled()


def prepare() -> None:
    """Compile every kernel, by doing each solution's job once on a few simulated records."""
    from tallystick import registry
    from tallystick.jobs.score import score
    from tallystick.jobs.simulate import simulate
    from tallystick.jobs.train import train
    from tallystick.text import compile_kernels

    compile_kernels()
    for name in registry.names("solutions"):
        with tempfile.TemporaryDirectory(prefix="tallystick-") as folder:
            records, model = Path(folder, "records.csv"), Path(folder, "model")
            simulate(name, rows=ROWS, output=records)
            train(name, records, model=model, learner="naive_bayes")
            score(name, records, model=model, output=Path(folder, "decisions.jsonl"))


if __name__ == "__main__":
    if not prepared():
        sys.stderr.write("Compiling the kernels, once …\n")
    prepare()
