"""How long `tallystick simulate fraud` takes for ten million payments, and what it holds in memory.

The command as users run it, writing Parquet. Peak memory of a tenth of the rows stands beside it: were it to
grow with the rows, it would show.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _claims import calibration, claim, say, set_up

WANTED, MEMORY = 120.0, 1.0  # seconds; GB at most
ROOM = 40  # bytes of Parquet for a row, at most

# A child begins with the peak of the process that started it, so a small process starts it.
MEASURE = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
unit = 1 if sys.platform == "darwin" else 1024
json.dump({"seconds": time.perf_counter() - start, "code": os.waitstatus_to_exitcode(status),
           "peak": usage.ru_maxrss * unit, "cpu": usage.ru_utime + usage.ru_stime}, sys.stdout)
"""


def run(rows: int, preset: str, output: Path) -> dict[str, Any]:
    """Simulate in a process of its own: seconds, CPU seconds, peak resident bytes."""
    command = [
        str(Path(sys.executable).with_name("tallystick")), "simulate", "fraud", "--rows", str(rows),
        "--seed", "1", "--preset", preset, "--output", str(output), "--quiet",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], stdout=subprocess.PIPE, cwd=output.parent, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    if measured["code"]:
        raise SystemExit(f"tallystick simulate ended with {measured['code']}")
    say(
        f"{rows:,} rows: {measured['seconds']:.1f} s, {measured['cpu']:.1f} s of CPU, "
        f"{measured['peak'] / 1e9:.2f} GB"
    )
    return measured


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--dir", help="where the temporary folder is made")
    given = parser.parse_args(arguments)
    set_up()
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="tallystick-bench-", dir=given.dir) as name:
        output = Path(name, "payments.parquet")
        if shutil.disk_usage(name).free < ROOM * given.rows:
            say(f"{name} lacks room for {ROOM * given.rows / 1e9:.1f} GB: see --dir, --rows")
            return
        run(1_000, given.preset, output)  # its kernels may not be compiled yet
        tenth = run(max(given.rows // 10, 1), given.preset, output)
        measured = run(given.rows, given.preset, output)
        written = pq.ParquetFile(output).metadata.num_rows
        if written != given.rows:
            raise SystemExit(f"{given.rows} rows were asked for, {written} were written")
        size = output.stat().st_size
    what = f"{given.rows:,} payments, preset {given.preset}, {size / 1e9:.2f} GB of Parquet, as one process"
    common = {"cores": 2, "what": what, "calibration": calibration()}
    claim(
        "simulating payments", measured["seconds"], unit="s", wanted=f"at most {WANTED:.0f}",
        met=measured["seconds"] <= WANTED, cpu_seconds=round(measured["cpu"], 1), **common,
    )  # fmt: skip
    claim(
        "peak memory of simulating payments", measured["peak"] / 1e9, unit="GB",
        wanted=f"at most {MEMORY:g}", met=measured["peak"] <= MEMORY * 1e9,
        of_a_tenth_of_the_rows=round(tenth["peak"] / 1e9, 3), **common,
    )  # fmt: skip


if __name__ == "__main__":
    main()
