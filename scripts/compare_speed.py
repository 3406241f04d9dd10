"""Compare the processor time and the memory of two checkouts on the same data, side by side.

    python scripts/compare_speed.py OLD NEW [--pairs 9] [--only NAME,…]

Runs the command line of each checkout in turn, whole processes, with models that it has trained itself.
Prints for each command the median processor seconds of both, the median of the paired ratios old ÷ new with
an interval drawn from the pairs, and the peak of memory. 1 means as fast as before; 1.1 a tenth faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

DATA = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).parents[2] / "shared" / "data"))
LETTERS, PAYMENTS, TRAINED, STREAMED = 16, 600_000, 150_000, 60_000
COMMANDS = {
    "help": "--help",
    "complaints": "score complaints {data}/letters.parquet --model {own}/complaints --output {own}/c.parquet",
    "payments": "score fraud {data}/payments.parquet --model {own}/fraud --output {own}/p.parquet",
    "stream": "stream fraud --source {data}/payments.jsonl --sink sqlite:///{own}/out.db?table=decisions"
    " --model {own}/fraud --state sqlite:///{own}/state.db --until-idle",
}
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
said = process.stderr.read()
_, status, usage = os.wait4(process.pid, 0)
if status:
    sys.exit(said.decode()[-2000:])
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def run(checkout: Path, words: str) -> tuple[float, float]:
    """Run a command of a checkout: processor seconds, and the peak of memory in MB."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "tallystick", *words.split()]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}: tallystick {words}\n{done.stderr}")
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def prepare(folder: Path) -> None:
    """Write the inputs: complaints with a text, repeated, and payments, as a table and as JSON lines."""
    import polars as pl

    letters = pl.read_parquet(DATA / "complaints" / "cfpb.parquet")
    texts = letters.filter(pl.col("Consumer complaint narrative").is_not_null())
    texts.write_parquet(folder / "learn.parquet")
    number = pl.int_range(pl.len()).cast(pl.String)
    pl.concat([texts] * LETTERS).with_columns(number.alias("Complaint ID")).write_parquet(
        folder / "letters.parquet"
    )
    names = ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"]
    table = pq.read_table(DATA / "fraud" / "handbook.parquet", columns=names).slice(0, PAYMENTS)
    pq.write_table(table, folder / "payments.parquet")
    pq.write_table(table.slice(0, TRAINED), folder / "trained.parquet")
    frame = pl.DataFrame(table.slice(TRAINED, STREAMED).drop(["TX_FRAUD"]))
    frame.with_columns(pl.col("TX_DATETIME").cast(pl.String)).write_ndjson(folder / "payments.jsonl")


def interval(ratios: list[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median over draws of the pairs."""
    drawn = np.random.default_rng(0).choice(ratios, (2_000, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Measure each command as often as asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--only", default=",".join(COMMANDS))
    given = parser.parse_args()
    checkouts = [given.old.resolve(), given.new.resolve()]
    with tempfile.TemporaryDirectory(prefix="tallystick-speed-") as name:
        folder = Path(name)
        prepare(folder)
        own = [folder / "old", folder / "new"]
        for checkout, place in zip(checkouts, own, strict=True):
            run(checkout, f"train complaints {folder}/learn.parquet --model {place}/complaints")
            run(checkout, f"train fraud {folder}/trained.parquet --model {place}/fraud --task fraud")
        for command in given.only.split(","):
            found: list[list[tuple[float, float]]] = [[], []]
            for pair in range(-1, given.pairs):  # the first warms both up
                for side in (0, 1) if pair % 2 else (1, 0):
                    for left in own[side].glob("*.db*"):
                        left.unlink()
                    one = run(checkouts[side], COMMANDS[command].format(data=folder, own=own[side]))
                    if pair >= 0:
                        found[side].append(one)
            seconds = np.array([[one[0] for one in side] for side in found])
            memory = np.median([[one[1] for one in side] for side in found], axis=1)
            ratios = (seconds[0] / seconds[1]).tolist()
            low, high = interval(ratios)
            line = {
                "command": command, "old_s": round(float(np.median(seconds[0])), 3),
                "new_s": round(float(np.median(seconds[1])), 3), "ratio": round(float(np.median(ratios)), 3),
                "interval": [round(low, 3), round(high, 3)], "pairs": given.pairs,
                "old_mb": round(float(memory[0])), "new_mb": round(float(memory[1])),
            }  # fmt: skip
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
