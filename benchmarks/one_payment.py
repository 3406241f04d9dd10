"""How long one payment takes, warm: raw columns through checks, windows, 300 trees of depth 6, reasons.

The peer is what a notebook does with a row that is ready: xgboost's own predict, no window and no check; and
for reasons its pred_contribs.
"""

from __future__ import annotations

import os

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from _claims import calibration, claim, say
from _payments import payments, trained
from one_complaint import times
from tallystick import registry
from tallystick.config import Settings
from tallystick.evaluation import Thresholds
from tallystick.scorer import Scorer, Want, load_scorer
from tallystick.tasks.policies import FittedThresholds

WARM = 300


def everything_an_alert(scorer: Scorer) -> Scorer:
    """Explain each payment: what an alert costs."""
    policy = FittedThresholds(Thresholds(0.0, None))
    return replace(scorer, predictors=tuple(replace(one, policy=policy) for one in scorer.predictors))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000, help="different payments that are timed")
    parser.add_argument(
        "--rows", type=int, default=250_000, help="payments before them: trained on, replayed"
    )
    given = parser.parse_args(arguments)

    table, kind = payments(given.rows + given.calls + WARM)
    before, rest = table.slice(0, given.rows), table.slice(given.rows)
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        say(f"training on {given.rows:,} payments")
        booster, solution = trained(before, Path(folder)), registry.solution("fraud")
        scorer = load_scorer(solution, folder, Settings(threads=1), want=Want(reasons=False))
        explained = everything_an_alert(load_scorer(solution, folder, Settings(threads=1)))
    column_mapping = solution.contract.resolve(before.schema.names)
    past, explained_past = scorer.new_state(), explained.new_state()
    for batch in before.to_batches(max_chunksize=65_536):
        for side, state in ((scorer, past), (explained, explained_past)):
            side.score(batch, column_mapping, state=state)
    singles = [pa.RecordBatch.from_pylist([row], schema=rest.schema) for row in rest.to_pylist()]
    width = len(scorer.predictors[0].features.names)
    ready = np.random.default_rng(0).normal(size=(len(singles), width))
    import xgboost

    calls = {
        "plain": lambda row: scorer.score(singles[row], column_mapping, state=past),
        "reasons": lambda row: explained.score(singles[row], column_mapping, state=explained_past),
        "peer": lambda row: booster.inplace_predict(ready[row : row + 1], validate_features=False),
        "peer's reasons": lambda row: booster.predict(
            xgboost.DMatrix(ready[row : row + 1]), pred_contribs=True
        ),
    }
    (decision,) = calls["reasons"](0).decisions.to_pylist()
    if not (decision["reasons"] and decision["sequence"] and decision["action"]):
        raise SystemExit(f"not a whole decision: {decision}")
    for call in calls.values():
        for row in range(len(singles) - WARM, len(singles)):
            call(row)
    found = times(calls, len(singles) - WARM)
    what = (
        f"{len(singles) - WARM} different of {kind}, one row a batch, {len(rest.schema.names)} columns, "
        f"{width} features, warm; the peer's row is ready and has no windows"
    )
    speed = calibration()
    for side, peer, wanted in (("plain", "peer", 200.0), ("reasons", "peer's reasons", 500.0)):
        ours, theirs = (float(np.median(found[one])) for one in (side, peer))
        words = "with reasons" if side == "reasons" else "without reasons"
        claim(
            f"one payment {words}, median", ours, theirs, unit="us", what=what,
            wanted=f"at most {wanted:.0f}", met=ours <= wanted, calibration=speed,
        )  # fmt: skip
        claim(
            f"one payment {words}, 99th percentile", float(np.quantile(found[side], 0.99)),
            float(np.quantile(found[peer], 0.99)), unit="us", what=what, calibration=speed,
        )  # fmt: skip


if __name__ == "__main__":
    main()
