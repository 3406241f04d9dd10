"""How long `tallystick demo` takes after set-up, from start to report."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from _claims import calibration, claim, set_up
from tallystick.config import Settings

WANTED = 30.0  # seconds
FILES = ("report.html", "decisions.jsonl", "model/product/manifest.json")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0, help="threads of the kernels; all cores when 0")
    given = parser.parse_args(arguments)
    set_up()
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as folder:
        there = Path(folder, "demo")
        command = [str(Path(sys.executable).with_name("tallystick")), "demo", "--dir", str(there), "--quiet"]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--set", f"threads={given.threads}"], cwd=folder, stdout=sys.stderr, check=False
        )
        took = time.perf_counter() - start
        missing = [
            name for name in FILES if not (there / name).is_file() or not (there / name).stat().st_size
        ]
        if done.returncode or missing:
            raise SystemExit(f"the demo ended with {done.returncode}; missing: {missing}")
        with Path(there, "decisions.jsonl").open("rb") as lines:
            decisions = sum(1 for _ in lines)
    claim(
        "demo", took, unit="s", cores=Settings(threads=given.threads).cores(),
        what=f"simulate, train, evaluate, score and report, {decisions:,} decisions, as one process",
        wanted=f"at most {WANTED:.0f}", met=took <= WANTED, calibration=calibration(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
