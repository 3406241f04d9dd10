"""Scoring a CSV of complaints much larger than memory should ever hold: speed and peak memory.

Ours is the command `tallystick score`: contract, model, reasons, route and account. The peer is what one
would write with pandas in chunks and scikit-learn: a label for each narrative. Its rate is that of a part of
the same file, since its time grows evenly; its start and fitting are not counted.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _claims import calibration, claim, raw_complaints, say, set_up, sklearn_peer

FASTER, MEMORY = 5.0, 1.5  # times the peer's rate; GB at most
ROOM = 2.2  # of the input's size, for it and the decisions
FIRST_ID = 10_000_000
DAYS = 4_000  # dates received are spread over this many

# A child begins with the peak of the process that started it, so a small process starts it.
MEASURE = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
said = process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
unit = 1 if sys.platform == "darwin" else 1024
json.dump({"seconds": time.perf_counter() - start, "code": os.waitstatus_to_exitcode(status),
           "peak": usage.ru_maxrss * unit, "cpu": usage.ru_utime + usage.ru_stime,
           "said": said.decode()}, sys.stdout)
"""


def write_csv(path: Path, size: int) -> int:
    """Repeat the complaints under fresh ids and dates until the file has `size` bytes; return the rows."""
    import numpy as np
    import polars as pl

    table, kind = raw_complaints()
    frame = pl.DataFrame(table)
    say(f"writing {size / 1e9:g} GB from {kind}")
    rows, parts = 0, itertools.cycle(frame.iter_slices(1_000))
    with path.open("wb") as file:
        while file.tell() < size:
            part = next(parts)
            number = np.arange(rows, rows + len(part))
            received = np.datetime64("2015-01-01") + number % DAYS
            copy = part.with_columns(
                pl.Series("Complaint ID", FIRST_ID + number).cast(pl.String),
                pl.Series("Date received", received).cast(pl.String),
            )
            if "Date sent to company" in copy.columns:
                copy = copy.with_columns(pl.col("Date received").alias("Date sent to company"))
            copy.write_csv(file, include_header=rows == 0)
            rows += len(part)
    return rows


def run(command: list[str], folder: Path) -> dict[str, Any]:
    """Run a process to its end: seconds, CPU seconds, peak resident bytes and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], stdout=subprocess.PIPE, cwd=folder, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["code"]:
        raise SystemExit(f"{command[0]} ended with {measured['code']}: {measured['said']}")
    return measured


def score(big: Path, rows: int, threads: int, table: Any) -> dict[str, Any]:
    """Train the default model on what the peer learns from, then score the file and check the account."""
    import tallystick

    set_up()
    folder = big.parent
    tallystick.train("complaints", table, model=folder / "model")
    measured = run(
        [
            str(Path(sys.executable).with_name("tallystick")), "score", "complaints", str(big),
            "--model", str(folder / "model"), "--output", str(folder / "out.csv"),
            "--set", f"threads={threads}", "--quiet", "--json",
        ],
        folder,
    )  # fmt: skip
    account = json.loads(measured["said"])
    if account["decisions"] != rows:
        raise SystemExit(f"{rows} rows were written, but the account says {account}")
    say(f"ours: {measured['seconds']:.1f} s, {measured['cpu']:.1f} s of CPU, {measured['peak'] / 1e9:.2f} GB")
    return measured


def peer(big: Path, rows: int, output: Path) -> None:
    """Score the first rows as one would by hand; print seconds and peak as JSON."""
    import pandas as pd

    from _labelled import labelled

    learn = labelled("complaints", "product", raw_complaints()[0])
    names = [learn.truth.names[code] for code in learn.truth.codes]
    model = sklearn_peer().fit(learn.dataset.rows.column("narrative").to_pylist(), names)
    columns = ["Complaint ID", "Consumer complaint narrative"]
    start = time.perf_counter()
    with output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label"])
        for chunk in pd.read_csv(big, usecols=columns, dtype=str, nrows=rows, chunksize=10_000):
            writer.writerows(zip(chunk[columns[0]], model.predict(chunk[columns[1]]), strict=True))
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({"seconds": seconds, "peak": peak}))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0, help="size of the CSV")
    parser.add_argument(
        "--peer-share", type=float, default=0.1, help="share of the rows that the peer scores"
    )
    parser.add_argument("--threads", type=int, default=0, help="threads of ours; all cores when 0")
    parser.add_argument("--dir", help="where the temporary folder is made")
    parser.add_argument("--as-peer", nargs=3, metavar=("CSV", "ROWS", "OUTPUT"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.as_peer:
        peer(Path(given.as_peer[0]), int(given.as_peer[1]), Path(given.as_peer[2]))
        return
    size = int(given.gigabytes * 1e9)
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-", dir=given.dir) as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < ROOM * size:
            say(f"{folder.parent} lacks room for {ROOM * size / 1e9:.1f} GB: see --dir, --gigabytes")
            return
        measure(folder / "complaints.csv", size, given.peer_share, given.threads)


def measure(big: Path, size: int, share: float, threads: int) -> None:
    from tallystick.config import Settings

    rows = write_csv(big, size)
    ours = score(big, rows, threads, raw_complaints()[0])
    some = max(1, round(rows * share))
    command = [sys.executable, __file__, "--as-peer", str(big), str(some), str(big.parent / "peer.csv")]
    theirs = json.loads(run(command, big.parent)["said"])
    say(f"peer: {theirs['seconds']:.1f} s for {some} rows, {theirs['peak'] / 1e9:.2f} GB")
    rate, peer_rate = rows / ours["seconds"], some / theirs["seconds"]
    what = f"{rows:,} complaints, {big.stat().st_size / 1e9:.2f} GB of CSV"
    common = {"cores": Settings(threads=threads).cores(), "calibration": calibration()}
    claim(
        "scoring a large CSV", rate, peer_rate, unit="rows/s",
        what=f"{what}, with reasons and routes; pandas and scikit-learn on {some:,} of them, labels alone",
        wanted=f"ratio at least {FASTER:.0f}", met=rate >= FASTER * peer_rate,
        seconds=round(ours["seconds"], 1), cpu_seconds=round(ours["cpu"], 1), **common,
    )  # fmt: skip
    claim(
        "peak memory of scoring a large CSV", ours["peak"] / 1e9, theirs["peak"] / 1e9, unit="GB",
        what=f"{what}; resident, of the whole process; the peer's with its fitting, on its part of the file",
        wanted=f"at most {MEMORY}", met=ours["peak"] <= MEMORY * 1e9, **common,
    )  # fmt: skip


if __name__ == "__main__":
    main()
