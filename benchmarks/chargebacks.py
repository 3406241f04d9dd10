"""Learning from chargebacks alone beside learning from labels in the file: what thresholds catch later.

The payments are simulated. One model learns from labels of their own column; the other from the ids and
times of the frauds, as a bank has them, where silence for 30 days means good. Both decide the same later
payments with the thresholds that they chose themselves.

    python benchmarks/chargebacks.py [--rows 100000] [--seed 1] [--until 2025-05-01]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

import tallystick as ts
from _claims import claim, say

LABELS = ("is_fraud", "label_known_at", "scenario")
#: The least that is wanted of chargebacks alone, as a share of what labels in the file give.
WANTED = {"recall": 0.9, "money_stopped": 0.9}


def caught(model: Path, before: pl.DataFrame, later: pl.DataFrame, frauds: pl.DataFrame) -> dict[str, float]:
    """Decide later payments; the share of the frauds, and of their money, that is reviewed or declined.

    before: what warms the windows; frauds: which of all payments were frauds, from when that was known.
    """
    decided = ts.score(
        "fraud", later.drop(LABELS), model=model, task=["fraud"], history=before.drop(LABELS), labels=frauds,
        reasons=False,
    )  # fmt: skip
    rows = later.join(decided.select("id", "action"), left_on="transaction_id", right_on="id")
    true = rows.filter(pl.col("is_fraud"))
    stopped = true.filter(pl.col("action") != "accept")
    amount = pl.col("amount").cast(pl.Float64)
    return {
        "recall": len(stopped) / len(true),
        "money_stopped": stopped.select(amount.sum()).item() / true.select(amount.sum()).item(),
        "alerts": float((rows["action"] != "accept").sum()),
    }


def main() -> None:
    """Train both, decide the later payments with both, print the ratios as claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", default="2025-05-01", help="learned from before, measured from then on")
    parser.add_argument("--good-after", default="30d")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ts.simulate("fraud", rows=options.rows, seed=options.seed, output=folder / "payments.parquet")
        payments = pl.read_parquet(folder / "payments.parquet")
        start = pl.lit(options.until).str.to_datetime(time_zone="UTC")
        before = payments.filter(pl.col("event_time") < start)
        later = payments.filter(pl.col("event_time") >= start)
        chargebacks = payments.filter("is_fraud").select("transaction_id", "is_fraud", "label_known_at")
        ways: dict[str, dict[str, Any]] = {
            "in the file": {"source": payments},
            "chargebacks alone": {
                "source": payments.drop(LABELS),
                "labels": chargebacks,
                "set": {"good_after": options.good_after},
            },
        }
        found = {}
        for number, (words, given) in enumerate(ways.items()):
            model = folder / str(number)
            trained = ts.train("fraud", model=model, task=["fraud"], until=options.until, **given)
            figures = trained.tasks[0].manifest["figures"]
            found[words] = caught(model, before, later, chargebacks)
            precision = figures["average_precision"]
            say(f"{words}: held-out average precision {precision:.3f}, later {found[words]}")
        full, alone = found.values()
        for measure, least in WANTED.items():
            claim(
                f"fraud learned from chargebacks alone, {measure.replace('_', ' ')} of later frauds",
                alone[measure],
                full[measure],
                unit="share",
                what=f"{len(later):,} payments from {options.until}, thresholds of each model; "
                "peer: labels in the file",
                wanted=f"at least {least} of the peer's",
                met=alone[measure] >= least * full[measure],
            )


if __name__ == "__main__":
    main()
