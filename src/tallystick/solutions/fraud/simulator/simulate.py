"""The simulator's door: rows, and what there is to say about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from tallystick.errors import UsageError
from tallystick.solutions.fraud.simulator import prototype
from tallystick.solutions.fraud.simulator.preset import Preset, read
from tallystick.solutions.fraud.simulator.stream import batches

__all__ = ["notes", "simulate"]


def simulate(rows: int, seed: int = 0, preset: str = "default") -> Iterator[pa.RecordBatch]:
    """Yield payments in batches; the same arguments give the same bytes on every platform.

    >>> [batch.num_rows for batch in simulate(3, seed=1)]
    [3]

    preset: default, handbook, hostile, prototype, or the path of a YAML file of one's own. Customers and
    terminals are as many as make the rows in the preset's days, or as the preset says. Columns as in the
    contract; `amount` is decimal128(18, 2), times are timestamp[us, UTC]; all are text where rows are broken.
    The seed 0 gives way to one that the preset names. Raises UsageError for a preset that is not there or
    says what cannot be, negative rows or a negative seed.
    """
    if rows < 0 or seed < 0:
        raise UsageError(f"rows and seed must not be negative, they are {rows} and {seed}.")
    like, words = read(preset)
    if like == "prototype":
        design = prototype.Design.of(words, preset)
        return design.batches(rows, seed or design.seed)
    plan = Preset.of(words, preset)
    return batches(replace(plan, seed=seed or plan.seed), seed or plan.seed, rows)


def notes(preset: str = "default", rows: int = 0, seed: int = 0) -> tuple[str, ...]:  # noqa: ARG001 - all notes take the same
    """Say in sentences what can be expected of the rows of a preset; there may be nothing to say."""
    if read(preset)[0] != "prototype":
        return ()
    best = prototype.reachable(preset)
    return (
        f"{best.fraud_share:.1%} of rows are fraud; {best.disguised:.0%} of it looks as any payment does.",
        "A perfect model, which knows how the rows were made, can expect "
        f"average precision {best.average_precision:.3f}, F1 {best.f1:.3f} "
        f"(precision {best.precision:.3f}, recall {best.recall:.3f}) and accuracy {best.accuracy:.3f}.",
    )


# A part of the door beside the rows: whoever holds `simulate` can ask what to say of them.
simulate.notes = notes  # type: ignore[attr-defined]
