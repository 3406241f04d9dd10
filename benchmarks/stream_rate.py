"""How many payments a second a stream decides, from a growing file into a table of SQLite.

Everything is in it: contract, duplicates, behaviour windows, model, policy with reasons for alerts, the log
and the decisions in one transaction of SQLite that a power cut does not undo (synchronous=FULL), and the
table of decisions in another file. From the first record that is read to the last commit and the last row
delivered; what comes before that is said apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _claims import say, set_up
from _load import Child, Noted, calibrated, claimed, scratch
from _streams import CACHE, model, simulated

WANTED = 30_000


def measured(folder: Path, events: int, **more: Any) -> Noted:
    """Run one stream of simulated payments to its end."""
    simulated(events, 5)
    told: dict[str, Any] = {
        "solution": "fraud", "source": CACHE / f"payments-{events}-5.jsonl", "model": model(),
        "state": f"sqlite:///{folder / 'state.db'}", "sink": f"sqlite:///{folder / 'out.db'}?table=decisions",
        "until_idle": True, "note": folder / "noted.npz", "ready": folder / "ready",
    }  # fmt: skip
    with Child("stream", folder / "log", **(told | more)) as child:
        child.finish()
    noted = Noted(folder / "noted.npz")
    if noted.events != events:
        raise SystemExit(f"{noted.events} decisions of {events} payments")
    return noted


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    given = parser.parse_args(arguments)
    set_up()
    with scratch(given.events * 2e-6) as folder:
        noted = measured(folder, given.events)
        bytes_ = sum(path.stat().st_size for path in folder.glob("state.db*"))
        rate = noted.events / noted.seconds
        say(", ".join(f"{name} {took / noted.events * 1e6:.2f} µs" for name, took in noted.cpu.items()))
        claimed(
            "payments decided by a stream, file to SQLite", rate, unit="payments/s", cores=2,
            what=f"{noted.events:,} simulated payments, JSON lines, to a table of SQLite; state in SQLite, "
            "synchronous=FULL, entries of up to 16,384 records",
            wanted=f"at least {WANTED:,}", met=bool(rate >= WANTED),
            seconds=round(noted.seconds, 2), start_up=round(noted.start_up, 2), entries=len(noted.rows),
            cpu_us={name: round(took / noted.events * 1e6, 2) for name, took in noted.cpu.items()},
            state_bytes_an_event=round(bytes_ / noted.events),
            calibration=calibrated(folder),
        )  # fmt: skip


if __name__ == "__main__":
    main()
