"""How long the command line takes to say its help, and whether that loads anything heavy."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from _claims import calibration, claim

WANTED = 0.3  # seconds of a whole process
HEAVY = ("polars", "sklearn", "numba", "pyarrow", "pandas", "plotly", "numpy", "scipy", "narwhals")
PROCESSES = {
    "help": [str(Path(sys.executable).with_name("tallystick")), "--help"],
    "import": [sys.executable, "-c", "import tallystick"],
    "bare": [sys.executable, "-c", "pass"],
}
LOADS = {
    "--help": "from tallystick.app import run; run(['--help'])",
    "import tallystick": "import tallystick; dir(tallystick)",
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def loaded(code: str) -> list[str]:
    """Run code in a process of its own and say which heavy modules it loaded."""
    told = f"import json, sys\n{code}\njson.dump([m for m in {HEAVY} if m in sys.modules], sys.stderr)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stderr)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="processes of each kind, in turn")
    given = parser.parse_args(arguments)
    for command in PROCESSES.values():
        seconds(command)  # once unmeasured: byte code is written, files are read into memory
    rounds = [{name: seconds(command) for name, command in PROCESSES.items()} for _ in range(given.rounds)]
    median = {name: statistics.median(one[name] for one in rounds) for name in PROCESSES}
    speed = calibration()
    for name, title in (("help", "tallystick --help"), ("import", 'python -c "import tallystick"')):
        claim(
            f"start-up, {title}", median[name], median["bare"], unit="s",
            what=f"a whole process, median of {given.rounds}, against an interpreter that does nothing",
            wanted=f"at most {WANTED}", met=median[name] <= WANTED, calibration=speed,
        )  # fmt: skip
    for title, code in LOADS.items():
        found = loaded(code)
        claim(
            f"heavy modules loaded, {title}", len(found), unit="modules",
            what="of " + ", ".join(HEAVY), wanted="0", met=not found, loaded=found,
        )  # fmt: skip


if __name__ == "__main__":
    main()
