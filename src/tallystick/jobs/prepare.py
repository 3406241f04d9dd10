"""Compile the kernels ahead, so that no first call waits.

`make setup` runs it, and so does the first command that needs it:

    python -m tallystick.jobs.prepare
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tallystick.kernels import Kernels

__all__ = ["prepare", "prepared"]


def _kernels() -> tuple[Kernels, ...]:
    """The kernels that most time goes into, package by package; the others come with them."""
    from tallystick.connectors import json_flat
    from tallystick.models import tree_kernel, treeshap
    from tallystick.streams.aggregates import warm as aggregates
    from tallystick.text.warm import KERNELS
    from tallystick.windows import kernel

    return (
        KERNELS,
        Kernels((kernel.apply, kernel.group)),
        Kernels((tree_kernel.sum_leaves, treeshap.explain)),
        aggregates.KERNELS,
        json_flat.KERNELS,
    )


def prepared() -> bool:
    """Say whether the kernels are compiled, without compiling any."""
    return all(package.compiled() for package in _kernels())


def prepare() -> None:
    """Compile every kernel, by doing each solution's job once on a few simulated records."""
    from tallystick import registry
    from tallystick.jobs.evaluate import evaluate
    from tallystick.jobs.score import score
    from tallystick.jobs.simulate import simulate
    from tallystick.jobs.stream import stream
    from tallystick.jobs.train import train
    from tallystick.streams.aggregates import warm as aggregates
    from tallystick.text import compile_kernels

    for package in _kernels():
        package.clear()
    compile_kernels()
    aggregates.compile_kernels()
    for name in registry.names("solutions"):
        solution = registry.solution(name)
        if solution.simulate is None:
            continue
        quick = all(task.layout == "sparse" for task in solution.tasks)
        with tempfile.TemporaryDirectory(prefix="tallystick-") as folder:
            records, model = Path(folder, "records.csv"), Path(folder, "model")
            simulate(name, rows=solution.try_rows, preset=solution.try_preset, output=records)
            train(name, records, model=model, learner="naive_bayes" if quick else None)
            evaluate(name, records, model=model)
            score(name, records, model=model, output=Path(folder, "decisions.jsonl"))
            lines = Path(folder, "records.jsonl")  # most streams bring JSON
            simulate(name, rows=solution.try_rows, preset=solution.try_preset, output=lines)
            stream(name, source=lines, model=model, until_idle=True)


if __name__ == "__main__":
    if not prepared():
        sys.stderr.write("Compiling the kernels, once …\n")
    prepare()
