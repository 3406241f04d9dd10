"""Payments from a Kafka topic to a Kafka topic: how many a second, and how long one waits at 1,000 a second.

A real broker, on the same cores as the stream and as what loads it. The rate: a topic that is full, from the
first message read to the last transaction. The wait: a process of its own sends records at moments that were
drawn before, whatever becomes of them; another one reads the decisions as committed messages; from the drawn
moment to the one at which it has the decision.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from _claims import set_up
from _load import Child, Noted, broker, calibrated, claimed, offered, scratch, tails, waits
from _streams import CACHE, model, simulated

RATE, P99 = 20_000, 100.0


def rate(kafka: Any, folder: Path, events: int, partitions: int) -> Noted:
    """Run a stream over a topic that was filled before."""
    simulated(events, 5)
    source, sink = kafka.topic("payments", partitions), kafka.topic("decisions", 1)
    lines = CACHE / f"payments-{events}-5.jsonl"
    with Child(
        "send", folder / "log-send", lines=lines, bootstrap=kafka.bootstrap, topic=source, rate=0,
        seconds=0, seed=1, note=folder / "plan.npz", ready=folder / "sent",
    ) as sender:  # fmt: skip
        sender.finish()
    with Child(
        "stream", folder / "log", solution="fraud", source=kafka.uri(source), sink=kafka.uri(sink),
        model=model(), state=f"sqlite:///{folder / 'rate.db'}", max_events=events,
        note=folder / "rate.npz", ready=folder / "rate",
    ) as child:  # fmt: skip
        child.finish()
    return Noted(folder / "rate.npz")


def latency(
    kafka: Any, folder: Path, pace: float, seconds: float
) -> tuple[np.ndarray[Any, Any], list[str], dict[str, int], Noted]:
    """Send at a pace; return when each was meant to be sent, its id, and when its decision was seen."""
    most = round(pace * seconds * 1.1) + 1000
    lines = simulated(most, 5)
    source, sink = kafka.topic("paced", 2), kafka.topic("paced-decisions", 1)
    count = _planned(pace, seconds)
    with (
        Child(
            "stream", folder / "log", solution="fraud", source=kafka.uri(source), sink=kafka.uri(sink),
            model=model(), state=f"sqlite:///{folder / 'paced.db'}",
            note=folder / "paced.npz", ready=folder / "paced",
        ) as stream,
        Child(
            "hear", folder / "log-hear", bootstrap=kafka.bootstrap, topic=sink, count=count,
            note=folder / "seen.npz", ready=folder / "hearing",
        ) as hearer,
    ):  # fmt: skip
        stream.ready()
        hearer.ready()
        with Child(
            "send", folder / "log-send", lines=CACHE / f"payments-{most}-5.jsonl", bootstrap=kafka.bootstrap,
            topic=source, rate=pace, seconds=seconds, seed=1, note=folder / "plan.npz",
            ready=folder / "sending",
        ) as sender:  # fmt: skip
            sender.finish()
        hearer.finish()
        stream.stop()
    meant = np.load(folder / "plan.npz")["meant"]
    seen = np.load(folder / "seen.npz")
    done = dict(zip(seen["ids"].tolist(), seen["seen"].tolist(), strict=True))
    return meant, offered(lines[: len(meant)]), done, Noted(folder / "paced.npz")


def _planned(pace: float, seconds: float) -> int:
    from _load import moments

    return len(moments(pace, seconds, 1))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--partitions", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", type=float, default=10.0)
    parser.add_argument("--only", choices=["rate", "latency"])
    given = parser.parse_args(arguments)
    set_up()
    with scratch(given.events * 3e-6 + 1) as folder:
        before = calibrated(folder)
        if given.only != "latency":
            with broker() as kafka:
                noted = rate(kafka, folder, given.events, given.partitions)
            found = noted.events / noted.seconds
            claimed(
                "payments decided by a stream, Kafka to Kafka", found, unit="payments/s", cores=2,
                what=f"{noted.events:,} simulated payments as JSON in {given.partitions} partitions; "
                "decisions in transactions; state in SQLite, synchronous=FULL; broker on the same two cores",
                wanted=f"at least {RATE:,}", met=bool(found >= RATE),
                seconds=round(noted.seconds, 2), start_up=round(noted.start_up, 2), entries=len(noted.rows),
                cpu_us={name: round(took / noted.events * 1e6, 2) for name, took in noted.cpu.items()},
                calibration=before,
            )  # fmt: skip
        if given.only != "rate":
            # One of its own: what a small heap is left with after the rate makes its collector stop for long.
            with broker() as kafka:
                meant, ids, seen, noted = latency(kafka, folder, given.rate, given.seconds + given.warm_up)
            took = tails(waits(ids, meant, seen, given.warm_up))
            committed = tails(waits(ids, meant, noted.by_id(), given.warm_up))
            claimed(
                f"wait for a decision at {given.rate:,.0f} payments/s, Kafka to Kafka, p99", took["p99"],
                unit="ms", cores=2,
                what=f"{given.seconds:.0f} s after {given.warm_up:.0f} s of warm-up; from the drawn moment "
                "of sending to a reader of committed messages; state in SQLite, synchronous=FULL; broker, "
                "sender and reader on the same two cores",
                wanted=f"p99 at most {P99:.0f} ms", met=bool(took["p99"] <= P99),
                tails=took, of_that_to_the_commit=committed, commits=len(noted.rows), calibration=before,
            )  # fmt: skip


if __name__ == "__main__":
    main()
