"""How long a payment waits for its decision at 1,000 a second, from a growing file into a table of SQLite.

A process of its own appends records at moments that were drawn before (a Poisson process) and waits for
nobody: what comes late counts as late. A payment is decided when the transaction that holds its input and
its decision has been committed as a durable database commits it: WAL, synchronous=FULL, one fsync, so that
a power cut leaves it there. The row in the sink's table comes after that, and is said too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from _claims import say, set_up
from _load import Child, Noted, calibrated, claimed, offered, scratch, tails, waits
from _streams import CACHE, model, simulated

P50, P99 = 10.0, 50.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=10.0)
    given = parser.parse_args(arguments)
    set_up()
    seconds = given.seconds + given.warm_up
    most = round(given.rate * seconds * 1.1) + 1000
    lines = simulated(most, 5)
    with scratch(1.0) as folder:
        before = calibrated(folder)
        growing = folder / "payments.jsonl"
        growing.write_bytes(b"")
        with (
            Child(
                "stream", folder / "log", solution="fraud", source=growing, model=model(),
                state=f"sqlite:///{folder / 'state.db'}",
                sink=f"sqlite:///{folder / 'out.db'}?table=decisions",
                until_idle=False, note=folder / "noted.npz", ready=folder / "ready",
            ) as stream,
            _writer(folder, growing, most, given.rate, seconds, stream) as writer,
        ):  # fmt: skip
            writer.finish()
            stream.settle(folder)
            stream.stop()
        noted = Noted(folder / "noted.npz")
        plan = np.load(folder / "plan.npz")
        meant, written = plan["meant"], plan["given"]
        ids = offered(lines[: len(meant)])
        took = waits(ids, meant, noted.by_id(), given.warm_up)
        counts = meant - meant[0] >= given.warm_up * 1e9
        writing = (written - meant)[counts] / 1e6
        found = tails(took)
        say(str(found))
        delivered = waits(ids, meant, noted.delivered_by_id(), given.warm_up)
        claimed(
            f"wait for a decision at {given.rate:,.0f} payments/s, p99", found["p99"], unit="ms", cores=2,
            what=f"{int(counts.sum()):,} payments in {given.seconds:.0f} s after {given.warm_up:.0f} s of "
            "warm-up, appended to a file at drawn moments by another process; from there to the end "
            "of the commit: SQLite, WAL, synchronous=FULL, one fsync a transaction",
            wanted=f"p50 at most {P50:.0f} ms, p99 at most {P99:.0f} ms",
            met=bool(found["p50"] <= P50 and found["p99"] <= P99),
            tails=found, to_the_row_in_the_sink=tails(delivered), of_that_the_writer_was_late=tails(writing),
            commits=len(noted.rows), rows_a_commit=round(noted.events / len(noted.rows), 1),
            cpu_us={name: round(cpu / noted.events * 1e6) for name, cpu in noted.cpu.items()},
            calibration=before,
        )  # fmt: skip


def _writer(folder: Path, growing: Path, most: int, rate: float, seconds: float, stream: Child) -> Child:
    stream.ready()
    return Child(
        "write", folder / "log-writer", lines=CACHE / f"payments-{most}-5.jsonl", to=growing, rate=rate,
        seconds=seconds, seed=1, note=folder / "plan.npz", ready=folder / "writing",
    )  # fmt: skip


if __name__ == "__main__":
    main()
