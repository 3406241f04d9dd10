"""How many complaints a second a stream classifies and routes, from a Kafka topic to a Kafka topic.

The whole of a complaint is in the message, narrative and all; the decision has class, score, action, route
and reasons. A real broker shares the two cores with the stream.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tallystick as ts
from _claims import set_up
from _load import Child, Noted, broker, calibrated, claimed, scratch
from _streams import CACHE

WANTED = 10_000


def simulated(rows: int, seed: int) -> Path:
    """Simulated complaints as JSON lines; made once for each size and seed."""
    path = CACHE / f"complaints-{rows}-{seed}.jsonl"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.jsonl")
        ts.simulate("complaints", rows=rows, output=beside, seed=seed)
        beside.rename(path)
    return path


def model(rows: int = 20_000) -> Path:
    """A model of other complaints, trained once."""
    place = CACHE / f"complaints-model-{rows}"
    if not place.exists():
        beside = place.with_suffix(f".{os.getpid()}")
        ts.train("complaints", simulated(rows, 11), model=beside)
        beside.rename(place)
    return place


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args(arguments)
    set_up()
    lines, place = simulated(given.events, 5), model()
    with scratch(given.events * 8e-6) as folder, broker() as kafka:
        source, sink = kafka.topic("complaints", 2), kafka.topic("classified", 1)
        told: dict[str, Any] = {
            "lines": lines, "bootstrap": kafka.bootstrap, "topic": source, "rate": 0, "seconds": 0, "seed": 1,
            "note": folder / "plan.npz", "ready": folder / "sent",
        }  # fmt: skip
        with Child("send", folder / "log-send", **told) as sender:
            sender.finish()
        cores = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else None
        with Child(
            "stream", folder / "log", cores, solution="complaints", source=kafka.uri(source),
            sink=kafka.uri(sink), model=place, state=f"sqlite:///{folder / 'state.db'}",
            max_events=given.events, note=folder / "noted.npz", ready=folder / "ready",
        ) as child:  # fmt: skip
            child.finish()
        noted = Noted(folder / "noted.npz")
        rate = given.events / noted.seconds
        size = lines.stat().st_size / given.events
        claimed(
            "complaints decided by a stream, Kafka to Kafka", rate, unit="complaints/s", cores=2,
            what=f"{given.events:,} simulated complaints of {size:.0f} bytes, JSON, 2 partitions, "
            "classified, reasons and routes too; state in SQLite, synchronous=FULL; broker on these cores",
            wanted=f"at least {WANTED:,}", met=bool(rate >= WANTED), decisions=noted.events,
            seconds=round(noted.seconds, 2), start_up=round(noted.start_up, 2), entries=len(noted.rows),
            cpu_us={name: round(took / given.events * 1e6, 2) for name, took in noted.cpu.items()},
            calibration=calibrated(folder),
        )  # fmt: skip


if __name__ == "__main__":
    main()
