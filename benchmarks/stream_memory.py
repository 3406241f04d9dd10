"""Whether memory stays flat while a stream runs on and on, at full speed.

Payments are made while they are read: half a million over 90 days, drawn once, whose times and keys move on
with each round, so that cards, terminals and what windows hold of them come to rest. A key is kept for twice
the horizon of 90 days, so those that could come again come to rest with the first million: at another pace
they are more or fewer. The payments go through a pipe into `tallystick stream`, whose memory is looked at
after each million; decisions go to standard output, and away. A snapshot is held while it is written: it is
asked for after each million, so that the second holds one, as do later ones where the machine finds the time.
Flat means two things of the millions from the second on: a line through their medians does not rise, and the
most in their later half is near the most in their earlier half. Halves, since the most is that of a moment,
while a snapshot is packed: one million sees one such moment or none, and its most is chance; what it was in
the second is told beside. Medians alone would pass growing peaks. State grows on disk: the run ends where
that is full.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

import tallystick as ts
from _claims import say, set_up
from _load import SPARE, calibrated, claimed, scratch
from _streams import CACHE, model

ROUND, DAYS = 500_000, 90
EVERY = 1_000_000  # payments after which memory is looked at, and a snapshot asked for
BLOCK = 20_000
BEGIN = "2010-01-01"  # so that 20 million end before today: what lies in the future is not scored
FLAT = 0.05  # by which the most in the later half may exceed that in the earlier one
RISE = 0.03  # by which the medians may rise from the second million to the last, by a line through them


def drawn(rows: int) -> pa.Table:
    """A round of payments, spread evenly over its days; made once."""
    path = CACHE / f"round-{rows}.parquet"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.parquet")
        ts.simulate("fraud", rows=rows, output=beside, seed=7, preset="default")
        beside.rename(path)
    return pq.read_table(path)


def give(rows: int, events: int, to: int) -> None:
    """Write so many payments to a pipe as CSV, round after round."""
    table = drawn(rows).combine_chunks()
    wanted = [
        "transaction_id", "event_time", "customer_id", "terminal_id", "amount", "currency", "place",
        "merchant_category", "channel", "device", "device_id", "is_fraud", "label_known_at",
    ]  # fmt: skip
    table = table.select([name for name in wanted if name in table.column_names])
    length = DAYS * 86_400 * 1_000_000
    offset = (np.arange(rows) * (length / rows)).astype(np.int64)
    begin = np.datetime64(BEGIN, "us").astype(np.int64)
    time_of = table["event_time"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    known = pc.subtract(
        table["label_known_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()), pa.array(time_of)
    )
    with os.fdopen(to, "wb", buffering=1 << 20) as pipe:
        header, given = True, 0
        while given < events:
            turn, start = divmod(given, rows)
            stop = min(start + BLOCK, rows, start + events - given)
            moment = pa.array(begin + turn * length + offset[start:stop])
            part = table.slice(start, stop - start)
            keys = pc.binary_join_element_wise(part["transaction_id"].cast(pa.string()), str(turn), "-")
            part = part.set_column(0, "transaction_id", keys)
            part = part.set_column(1, "event_time", moment.cast(pa.timestamp("us", "UTC")))
            late = pc.add(moment, known.slice(start, stop - start))
            place = part.schema.get_field_index("label_known_at")
            part = part.set_column(place, "label_known_at", late.cast(pa.timestamp("us", "UTC")))
            pyarrow.csv.write_csv(part, pipe, pyarrow.csv.WriteOptions(include_header=header))
            header, given = False, given + stop - start


def resident(pid: int) -> dict[str, float]:
    """Memory of a process in MB: all of it, and what it holds for itself alone."""
    said = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return {name: int(said[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")}


def risen(medians: Sequence[float]) -> float:
    """By which part a line through them (least squares) rises from the first to the last."""
    slope, first = np.polyfit(np.arange(len(medians)), medians, 1)
    return float(slope * (len(medians) - 1) / first)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--round", type=int, default=ROUND, help="payments in 90 days")
    parser.add_argument("--give", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.give is not None:
        give(given.round, given.events, given.give)
        return
    set_up()
    drawn(given.round)
    with scratch(given.events * 0.75e-6) as folder:
        state = folder / "state.db"
        source, sink = os.pipe()
        os.set_inheritable(sink, True)
        giver = subprocess.Popen(
            [sys.executable, __file__, "--give", str(sink), "--events", str(given.events), "--round",
             str(given.round)], pass_fds=[sink],
        )  # fmt: skip
        os.close(sink)
        with (folder / "log").open("wb") as log:
            stream = subprocess.Popen(
                [sys.executable, "-m", "tallystick", "stream", "fraud", "--source", "-?format=csv", "--model",
                 str(model()), "--state", f"sqlite:///{state}", "--sink", "-", "--quiet",
                 "--set", f"snapshot_every={EVERY}"],
                stdin=source, stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        os.close(source)
        seen: list[dict[str, float]] = []
        samples: list[float] = []
        began, done = time.perf_counter(), 0
        try:
            while stream.poll() is None and done < given.events:
                time.sleep(0.2)
                done = committed(state)
                with suppress(OSError, KeyError):  # it may just have ended
                    samples.append(resident(stream.pid)["RssAnon"])
                if done >= (len(seen) + 1) * EVERY:
                    disk = sum(path.stat().st_size for path in folder.glob("state.db*"))
                    # Snapshots are copies: what is held between them and the most are two things.
                    now = {
                        "events": done, "median_MB": float(np.median(samples)), "most_MB": max(samples),
                        "state_MB": disk / 1e6, "seconds": time.perf_counter() - began,
                    }  # fmt: skip
                    samples.clear()
                    seen.append({name: round(value) for name, value in now.items()})
                    say(str(seen[-1]))
                    free = os.statvfs(folder)
                    if free.f_bavail * free.f_frsize < SPARE * 1e9:
                        say("the disk is full: ended here")
                        break
        finally:
            for process in (giver, stream):
                if process.poll() is None and done < given.events:
                    process.terminate()
                process.wait(120)
        if stream.returncode:
            raise SystemExit((folder / "log").read_text()[-3000:])
        if len(seen) < 3:
            raise SystemExit("less than three million: nothing can be said")
        middle = (len(seen) + 1) // 2
        early, late = (max(one["most_MB"] for one in part) for part in (seen[1:middle], seen[middle:]))
        rise = risen([one["median_MB"] for one in seen[1:]])
        flat = late <= early * (1 + FLAT) and rise <= RISE
        claimed(
            "memory of a stream at full speed, second million to last: most in the later half, the earlier",
            late, early, unit="MB", cores=2, most_in_the_second_MB=seen[1]["most_MB"],
            what=f"{done:,} payments, {given.round:,} in 90 days of event time, CSV by a pipe",
            wanted=f"flat: within {FLAT:.0%}, medians rise by {RISE:.0%} at most",
            met=bool(flat and done >= given.events), medians_rise=round(rise, 4),
            median_MB=[one["median_MB"] for one in seen], most_MB=[one["most_MB"] for one in seen],
            seconds=[one["seconds"] for one in seen],
            state_bytes_an_event=round(seen[-1]["state_MB"] * 1e6 / seen[-1]["events"]),
            rate=round(seen[-1]["events"] / seen[-1]["seconds"]), calibration=calibrated(folder),
        )  # fmt: skip


def committed(state: Path) -> int:
    """Ask the store how many events are in the log."""
    import sqlite3

    try:
        connection = sqlite3.connect(f"file:{state}?mode=ro", uri=True, timeout=5)
        try:
            row = connection.execute("SELECT rows FROM ts_head WHERE stream = 'fraud'").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0
    return 0 if row is None else int(row[0])


if __name__ == "__main__":
    main()
