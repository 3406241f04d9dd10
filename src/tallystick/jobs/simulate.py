"""simulate: records like a bank's own, of any size, that are nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from tallystick import registry
from tallystick.connectors import TablePlace, open_sink, place
from tallystick.errors import UsageError
from tallystick.jobs.options import Common, run_context

__all__ = ["Simulated", "simulate"]


@dataclass(frozen=True)
class Simulated:
    """What was written."""

    rows: int
    output: Path | TablePlace
    seed: int
    preset: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "rows": self.rows,
            "output": str(self.output),
            "seed": self.seed,
            "preset": self.preset,
            "notes": list(self.notes),
        }


def simulate(
    solution: str,
    *,
    rows: int,
    output: str | Path | TablePlace,
    seed: int | None = None,
    preset: str = "default",
    **options: Unpack[Common],
) -> Simulated:
    """Write `rows` simulated records; the same rows, seed and preset give the same file."""
    found = registry.solution(solution)
    context = run_context("simulate", **options)
    simulator = found.simulator
    if rows < 1:
        raise UsageError(f"{rows} rows cannot be written.", "Ask for at least one: --rows 1000.")
    seed = context.settings.seed if seed is None else seed
    context.progress.stage("Writing", rows)
    with open_sink(output) as sink:
        for batch in simulator(rows, seed, preset):
            sink.write(batch)
            context.progress.step(len(batch))
    notes = getattr(found.simulate, "notes", None)
    return Simulated(rows, place(output), seed, preset, tuple(notes(preset, rows, seed)) if notes else ())
