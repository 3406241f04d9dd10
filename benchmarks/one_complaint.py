"""How long one complaint takes, warm: raw text columns through checks, model, reasons and route.

The peer is scikit-learn's TfidfVectorizer and LinearSVC on the narrative alone: a label, no more.
"""

from __future__ import annotations

import os

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

import tallystick
from _claims import calibration, claim, raw_complaints, say, sklearn_peer
from _labelled import labelled
from tallystick import registry
from tallystick.config import Settings
from tallystick.scorer import load_scorer

WANTED = 500.0  # µs, median
# Known when a complaint comes in; the other public columns are the classification, and what came after.
ARRIVING = (
    *("Complaint ID", "Date received", "Consumer complaint narrative", "Company", "State", "ZIP code"),
    *("Tags", "Submitted via"),
)
WARM = 200
TURN = 100  # calls of one side before the other has its turn: long enough to be warm, short enough to be fair


def times(calls: dict[str, Callable[[int], Any]], count: int) -> dict[str, np.ndarray]:
    """Time each call on row 0 … count - 1, the sides in turn; in µs."""
    found = {name: np.zeros(count) for name in calls}
    for start in range(0, count, TURN):
        for name, call in calls.items():
            for row in range(start, min(start + TURN, count)):
                began = time.perf_counter_ns()
                call(row)
                found[name][row] = (time.perf_counter_ns() - began) / 1e3
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000, help="different complaints that are timed")
    parser.add_argument("--rows", type=int, help="train on the first rows only, for a trial")
    parser.add_argument("--model", help="a model folder, instead of training one")
    given = parser.parse_args(arguments)

    raw, kind = raw_complaints()
    learn = raw if given.rows is None else raw.slice(0, given.rows)
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        if given.model is None:
            say(f"training on {len(learn)} complaints")
            tallystick.train("complaints", learn, model=folder)
        solution = registry.solution("complaints")
        scorer = load_scorer(solution, given.model or folder, Settings(threads=1))
    rows = labelled("complaints", "product", learn)
    peer = sklearn_peer().fit(rows.dataset.rows.column("narrative").to_pylist(), rows.truth.codes)

    chosen = np.random.default_rng(0).permutation(len(raw))[: given.calls + WARM]
    picked = raw.take(pa.array(chosen))
    narratives = picked["Consumer complaint narrative"].to_pylist()
    # Each in buffers of its own, as one complaint arrives.
    singles = [pa.RecordBatch.from_pylist([row], schema=raw.schema) for row in picked.to_pylist()]
    known = [name for name in ARRIVING if name in raw.schema.names] or raw.schema.names
    arriving = [row.select(known) for row in singles]
    column_mapping, naming_all = solution.contract.resolve(known), solution.contract.resolve(raw.schema.names)
    calls = {
        "ours": lambda row: scorer.score(arriving[row], column_mapping),
        "all": lambda row: scorer.score(singles[row], naming_all),
        "peer": lambda row: peer.predict([narratives[row]]),
    }
    decisions = calls["ours"](0).decisions.to_pylist()[0]
    if not (decisions["label"] and decisions["reasons"] and decisions["route"]):
        raise SystemExit(f"not a whole decision: {decisions}")
    for call in calls.values():
        for row in range(len(singles) - WARM, len(singles)):
            call(row)
    found = times(calls, len(singles) - WARM)

    what = (
        f"{len(singles) - WARM} different of {kind} with the {len(known)} columns known on arrival, "
        "one row a batch, warm; the peer gives a label alone"
    )
    speed = calibration()
    ours, theirs = (float(np.median(found[side])) for side in ("ours", "peer"))
    claim(
        "one complaint, median", ours, theirs, unit="us", what=what,
        wanted=f"at most {WANTED:.0f}", met=ours <= WANTED, calibration=speed,
    )  # fmt: skip
    whole = float(np.median(found["all"]))
    columns = f"with all {len(raw.schema.names)} public columns to check"
    claim(f"one complaint {columns}, median", whole, theirs, unit="us", what=what, calibration=speed)
    slow = [float(np.quantile(found[side], 0.99)) for side in ("ours", "peer")]
    claim("one complaint, 99th percentile", *slow, unit="us", what=what, calibration=speed)


if __name__ == "__main__":
    main()
