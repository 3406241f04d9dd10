"""How long a killed stream takes to go on: a snapshot, a million events of log after it, the next decision.

Measured from the start of the process to the first entry that it commits, several times; then the parts of
it, each alone, in a process of their own. Seconds of the clock and, since machines are shared, of the
processor.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _claims import calibration, claim, say
from _streams import Process, head, model, simulated, until

WANTED = 5.0
BEFORE = 100_000  # events in the snapshot
MORE = 5_000  # that wait when the stream starts again


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="in the log after the snapshot")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs=2, metavar=("STATE", "MODEL"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.parts:
        print(json.dumps(_parts(*asked.parts)))
        return
    place = model()
    lines = simulated(BEFORE + asked.events + MORE * (asked.rounds + 1), 7)
    folder = Path(tempfile.mkdtemp(prefix="tallystick-bench-restart-"))
    source, state = folder / "in.jsonl", f"sqlite:///{folder / 'state.db'}"
    told = ["--source", str(source), "--sink", str(folder / "out.jsonl"), "--model", str(place)]
    never = ["--set", "snapshot_every=4000000000"]
    stream = Process(["stream", "fraud", *told, "--state", state, "--quiet", *never], folder / "log")
    done = 0

    def send(many: int) -> None:
        nonlocal done
        with source.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines[done : done + many]))
        done += many

    def settled() -> None:
        """Wait until all that was sent is committed, delivered and marked."""
        if not until(lambda: _rows(state) >= done or not stream.running(), 1800, 0.2) or not stream.running():
            raise SystemExit(stream.said())
        time.sleep(3)

    try:
        say(f"making a state of {BEFORE:,} events in a snapshot and {asked.events:,} after it")
        send(BEFORE)
        stream.start()
        settled()
        stream.stop(signal.SIGTERM, 120)
        send(asked.events)
        stream.start()
        settled()
        stream.kill()
        took, spent = [], []
        for _ in range(asked.rounds):
            send(MORE)
            before = head(state)
            begun = time.monotonic()
            stream.start()
            until(lambda before=before: head(state) > before or not stream.running(), 600, 0.005)
            took.append(time.monotonic() - begun)
            spent.append(_processor(stream.pid))
            settled()
            stream.kill()
        command = [sys.executable, __file__, "--parts", state, str(place)]
        parts = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    finally:
        stream.end()
    claim(
        "from the start of the process to the first decision after a kill", min(took), unit="s",
        what=f"a snapshot of {BEFORE:,} events, {parts['events']:,} of log after it in {parts['entries']:,} "
        f"entries; best of {asked.rounds}", cores=len(os.sched_getaffinity(0)),
        wanted=f"at most {WANTED:g}", met=min(took) <= WANTED, processor_s=min(spent),
        all_s=[round(one, 2) for one in took], parts=parts["parts"], calibration=calibration(),
    )  # fmt: skip
    shutil.rmtree(folder)


def _rows(state: str) -> int:
    from tallystick.store import Store

    if head(state) <= 0:
        return 0
    with Store.open(state) as store:
        found = store.head("fraud")
        return 0 if found is None else found.rows + found.duplicates


def _processor(pid: int) -> float:
    """Seconds of the processor that a process has taken."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _parts(state: str, place: str) -> dict[str, Any]:
    """Go through recovery part by part: seconds of the clock and of the processor."""
    found: dict[str, list[float]] = {}
    at = [time.perf_counter(), time.process_time()]

    def lap(name: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        found[name] = [round(b - a, 2) for a, b in zip(at, now, strict=True)]
        at[:] = [time.perf_counter(), time.process_time()]

    import pyarrow as pa

    import tallystick.cli.commands
    import tallystick.jobs.stream  # noqa: F401
    from tallystick import registry
    from tallystick.jobs.options import run_context
    from tallystick.jobs.records_input import label_delay
    from tallystick.scorer.loading import load_scorer
    from tallystick.store import Store
    from tallystick.streams.recovery import ROWS
    from tallystick.streams.state import StreamState

    lap("imports")
    solution, context = registry.solution("fraud"), run_context("stream")
    scorer = load_scorer(solution, place, context.settings)
    lap("model")
    with Store.open(state) as store:
        kept = store.snapshot("fraud")
        assert kept is not None
        number, arrays = kept
        schema = pa.schema([(c.name, c.arrow) for c in solution.contract.columns if c.name != "sequence"])
        state = StreamState(scorer, schema, horizon=solution.horizon_us, delay=label_delay(solution, context))
        state.fill(arrays, number)
        lap("snapshot")
        log = [(entry.number, entry.events) for entry in store.entries("fraud", number, whole=True)]
        lap("reading the log")
    events, part, count = sum(len(one) for _, one in log), [], 0
    for one in log:
        part.append(one)
        count += len(one[1])
        if count >= ROWS:
            state.replay(*part)
            part, count = [], 0
    if part:
        state.replay(*part)
    lap("replay")
    return {"events": events, "entries": len(log), "parts": found}


if __name__ == "__main__":
    main()
