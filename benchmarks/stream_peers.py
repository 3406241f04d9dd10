"""The same work by what one would write otherwise: River, and a consumer with a pickled pipeline of sklearn.

Each payment's card and terminal get count, sum and mean of their amounts over 1, 7 and 30 days, and a model
that was fitted before says how likely fraud is, one payment after the other as they come in. Neither peer
checks a contract, looks for duplicates, gives reasons or keeps anything: a killed one has lost its windows.
Ours is the whole of `stream_rate.py`, on both cores; a peer has one, since its windows are one dictionary.

River is installed into an environment of its own; where that cannot be done the run says so and goes on.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__" and len(sys.argv) > 1 and sys.argv[1] == "--river":
    pass  # the environment of River has nothing of ours
else:
    from _claims import say, set_up
    from _load import calibrated, claimed, scratch
    from _streams import CACHE, simulated
    from stream_rate import measured

WANTED = 20
DAYS = (1, 7, 30)
ENTITIES = ("customer_id", "terminal_id")


def payments(path: Path, start: int, stop: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Read payments as a consumer does, one JSON message after the other."""
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if number >= stop:
                return
            if number >= start:
                row = json.loads(line)
                row["event_time"] = datetime.fromisoformat(row["event_time"].removesuffix("Z"))
                row["amount"] = float(row["amount"])
                yield row, bool(row["is_fraud"])


class Deques:
    """Windows as they are written by hand: the events of each entity in a deque, with running sums."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, str], deque[tuple[datetime, float]]] = defaultdict(deque)
        self._sums: dict[tuple[str, int, str], float] = defaultdict(float)

    def features(self, row: dict[str, Any]) -> dict[str, float]:
        """Say how the entities of a payment behaved before it, and add it."""
        now, amount = row["event_time"], row["amount"]
        found = {"amount": amount, "hour": now.hour, "weekday": now.weekday()}
        for entity in ENTITIES:
            for days in DAYS:
                key = (entity, days, row[entity])
                kept, oldest = self._kept[key], now - timedelta(days=days)
                while kept and kept[0][0] <= oldest:
                    self._sums[key] -= kept.popleft()[1]
                total, count = self._sums[key], len(kept)
                found[f"{entity}_count_{days}"] = count
                found[f"{entity}_sum_{days}"] = total
                found[f"{entity}_mean_{days}"] = total / count if count else 0.0
                kept.append((now, amount))
                self._sums[key] += amount
        return found


def fitted(path: Path, rows: int, to: Path) -> None:
    """Fit a pipeline of scikit-learn on the first payments, and pickle it."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    windows = Deques()
    table, truth = [], []
    for row, fraud in payments(path, 0, rows):
        table.append(windows.features(row))
        truth.append(fraud)
    frame = pd.DataFrame(table)
    pipeline = make_pipeline(
        ColumnTransformer([("numbers", StandardScaler(), list(frame.columns))]),
        HistGradientBoostingClassifier(max_iter=100, random_state=0),
    )
    pipeline.fit(frame, truth)
    to.write_bytes(pickle.dumps(pipeline))


def consumer(path: Path, model: Path, start: int, stop: int) -> float:
    """Decide payments one by one with a pickled pipeline; return how many a second."""
    import pandas as pd

    pipeline = pickle.loads(model.read_bytes())
    windows, decided = Deques(), []
    for row, _ in payments(path, 0, start):
        windows.features(row)
    began = time.perf_counter()
    for row, _ in payments(path, start, stop):
        frame = pd.DataFrame([windows.features(row)])
        decided.append((row["transaction_id"], float(pipeline.predict_proba(frame)[0, 1])))
    return len(decided) / (time.perf_counter() - began)


def river(path: Path, name: str, start: int, stop: int) -> float:
    """Decide payments one by one with River's windows and one of its models; return how many a second."""
    from river import forest, linear_model, preprocessing, stats, utils

    models: dict[str, Any] = {
        "logistic regression": preprocessing.StandardScaler() | linear_model.LogisticRegression(),
        "forest": forest.AMFClassifier(n_estimators=10, seed=0),
    }
    model = models[name]
    kept: dict[tuple[str, int, str], tuple[Any, Any, Any]] = {}

    def features(row: dict[str, Any]) -> dict[str, float]:
        now, amount = row["event_time"], row["amount"]
        found = {"amount": amount, "hour": now.hour, "weekday": now.weekday()}
        for entity in ENTITIES:
            for days in DAYS:
                key = (entity, days, row[entity])
                if key not in kept:
                    period = timedelta(days=days)
                    # Its count cannot take back: a sum of ones can.
                    kept[key] = (
                        utils.TimeRolling(stats.Sum, period=period),
                        utils.TimeRolling(stats.Sum, period=period),
                        utils.TimeRolling(stats.Mean, period=period),
                    )
                count, total, mean = kept[key]
                found[f"{entity}_count_{days}"] = count.get()
                found[f"{entity}_sum_{days}"] = total.get()
                found[f"{entity}_mean_{days}"] = mean.get()
                count.update(1, t=now)
                total.update(amount, t=now)
                mean.update(amount, t=now)
        return found

    for row, fraud in payments(path, 0, start):
        model.learn_one(features(row), fraud)
    decided = []
    began = time.perf_counter()
    for row, _ in payments(path, start, stop):
        decided.append((row["transaction_id"], model.predict_proba_one(features(row)).get(True, 0.0)))
    return len(decided) / (time.perf_counter() - began)


def environment() -> Path | None:
    """Where River is installed; None, said, where it cannot be."""
    place = CACHE / "river"
    python = place / "bin" / "python"
    if not python.exists() or not (place / ".complete").exists():
        say("installing River into an environment of its own")
        for command in (
            [sys.executable, "-m", "venv", str(place)],
            [str(python), "-m", "pip", "install", "-q", "river"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                say(f"River cannot be installed: {done.stderr[-500:]}")
                return None
        (place / ".complete").write_text("")
    return python


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--peer-events", type=int, default=3_000)
    parser.add_argument("--start", type=int, default=20_000, help="payments that the peers saw before")
    given = parser.parse_args(arguments)
    set_up()
    simulated(given.events, 5)
    path = CACHE / f"payments-{given.events}-5.jsonl"
    start, stop = given.start, given.start + given.peer_events
    with scratch(given.events * 2e-6) as folder:
        noted = measured(folder, given.events)
        ours = noted.events / noted.seconds
        peers: dict[str, float] = {}
        fitted(path, start, folder / "model.pickle")
        peers["a consumer with deques and a pickled scikit-learn pipeline"] = consumer(
            path, folder / "model.pickle", start, stop
        )
        python = environment()
        for name in ("logistic regression", "forest") if python else ():
            done = subprocess.run(
                [str(python), __file__, "--river", str(path), name, str(start), str(stop)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            peers[f"River, TimeRolling and its {name}"] = float(done.stdout)
        before = calibrated(folder)
        for name, rate in peers.items():
            claimed(
                f"payments decided by a stream, beside {name}", ours, rate, unit="payments/s", cores=2,
                what=f"{given.events:,} simulated payments, file to SQLite, durable, ours on two cores; the "
                f"peer {given.peer_events:,} of them on one, in memory, after {start:,} to learn from",
                wanted=f"at least {WANTED} ×", met=bool(ours >= WANTED * rate), calibration=before,
            )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--river":
        print(river(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
    else:
        main()
