"""demo: the main context from start to report, on simulated records or on one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tallystick import registry
from tallystick.config import Settings
from tallystick.connectors import open_sink, open_source
from tallystick.errors import UsageError
from tallystick.jobs.evaluate import Evaluated, evaluate
from tallystick.jobs.options import Common, run_context
from tallystick.jobs.score import Scores, score
from tallystick.jobs.simulate import simulate
from tallystick.jobs.stream import Show, Streamed, stream
from tallystick.jobs.train import Trained, train
from tallystick.tasks import Solution

__all__ = ["Demonstrated", "demo"]

SEED = 7
MODEL, REPORT, DECISIONS = "model", "report.html", "decisions.jsonl"
LATER, STATE, STREAM, CHARTS = "later.csv", "state.db", "stream.jsonl", "stream.html"
RATE = 1000.0  # records a second of the demo's stream
EXAMPLES = 3


@dataclass(frozen=True)
class Demonstrated:
    """Each step's result, and where its files are."""

    solution: str
    folder: Path
    records: str | Path
    simulated: bool
    trained: Trained
    evaluated: Evaluated
    scored: Scores
    examples: tuple[dict[str, Any], ...] = ()
    streamed: Streamed | None = None

    def files(self) -> list[tuple[Path, str]]:
        """List what was written, with a word on each."""
        return [
            *([(Path(self.records), "the records")] if self.simulated else []),
            (self.folder / MODEL, "the model, with its card"),
            (self.folder / REPORT, "the report: open it in a browser"),
            (self.folder / DECISIONS, "a decision for each record, with its reasons"),
            *([] if self.streamed is None else self._of_stream()),
        ]

    def _of_stream(self) -> list[tuple[Path, str]]:
        return [
            (self.folder / LATER, "what came later, as a stream"),
            (self.folder / STREAM, "what was decided while it came"),
            (self.folder / CHARTS, "how quickly, and what: open it in a browser"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "folder": str(self.folder),
            "input": str(self.records),
            "simulated": self.simulated,
            "train": self.trained.to_dict(),
            "evaluate": self.evaluated.to_dict(),
            "score": self.scored.to_dict(),
            "stream": None if self.streamed is None else self.streamed.to_dict(),
        }


def demo(
    solution: str = "complaints",
    *,
    input: str | Path | None = None,
    dir: str | Path = "tallystick-demo",
    show: Show | None = None,
    **options: Unpack[Common],
) -> Demonstrated:
    """Simulate records (or take `input`), train on them, measure and score them; all files land in `dir`.

    Where the solution decides while things happen, what comes after the simulated records is then decided as
    it comes. show: draws that.
    """
    found = registry.solution(solution)
    run_context("demo", **options)
    if str(input) == "-":
        raise UsageError(
            "The demo reads its input more than once; standard input is read once.", "Name a file."
        )
    folder = Path(dir)
    records = input if input is not None else folder / "records.csv"
    if input is None and found.demo_later:
        _simulate(found, folder)
    elif input is None:
        simulate(found.name, rows=found.demo_rows, output=records, seed=SEED, **options)
    trained = train(found.name, records, model=folder / MODEL, **options)
    evaluated = evaluate(
        found.name, records, model=folder / MODEL, rules=found.rules, report=folder / REPORT, **options
    )
    scored = score(
        found.name, records, model=folder / MODEL, rules=found.rules, output=folder / DECISIONS, **options
    )
    if found.contract.events and found.windows is not None:
        examples = _alerts(folder / DECISIONS)
    else:
        examples = _examples(found, records, folder / MODEL, options)
    streamed = _stream(found, folder, show, options) if input is None and found.demo_later else None
    return Demonstrated(
        found.name, folder, records, input is None, trained, evaluated, scored, examples, streamed
    )


def _simulate(solution: Solution, folder: Path) -> None:
    """Write records, and what comes after them."""
    table = pa.Table.from_batches(solution.simulator(solution.demo_rows + solution.demo_later, SEED))
    for name, part in (("records.csv", table[: solution.demo_rows]), (LATER, table[solution.demo_rows :])):
        with open_sink(folder / name) as sink:
            for batch in part.to_batches():
                sink.write(batch)


def _stream(solution: Solution, folder: Path, show: Show | None, options: Common) -> Streamed:
    """Decide what comes later at a pace, with the records before it as history."""
    for old in (STATE, f"{STATE}-wal", f"{STATE}-shm", STREAM):
        (folder / old).unlink(missing_ok=True)
    return stream(
        solution.name,
        source=folder / LATER,
        sink=folder / STREAM,
        model=folder / MODEL,
        state=f"sqlite:///{folder.resolve() / STATE}",
        history=folder / "records.csv",
        rules=solution.rules,
        rate=RATE,
        report=folder / CHARTS,
        show=show,
        **options,
    )


def _alerts(decisions: Path) -> tuple[dict[str, Any], ...]:
    """Pick the last alerts with reasons of both kinds: looked at, and declined."""
    found: dict[str, list[dict[str, Any]]] = {"review": [], "decline": []}
    for chunk in open_source(decisions, Settings()).chunks():
        for row in chunk.rows.to_pylist():
            if row["action"] in found and row["reasons"]:
                found[row["action"]].append(row)
    return tuple(_typed(row) for rows in found.values() for row in rows[-2:])


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """Bring a decision back from its JSON."""
    reasons = json.loads(row["reasons"]) if isinstance(row["reasons"], str) else row["reasons"]
    when = datetime.fromisoformat(row["event_time"]) if row["event_time"] else None
    return row | {"reasons": reasons, "score": float(row["score"]), "event_time": when}


def _examples(
    solution: Solution, records: str | Path, model: Path, options: Common
) -> tuple[dict[str, Any], ...]:
    """Pick a few decisions that differ, each with what it was taken from."""
    settings = run_context("demo", **options).settings
    first = next(open_source(records, settings).chunks()).rows.slice(0, 200)
    column = solution.tasks[0].columns[0]
    theirs = solution.contract.resolve(first.schema.names).theirs.get(column)
    if theirs is None:
        return ()
    looked_at = first.column(theirs).to_pylist()
    found: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(
        score(solution.name, pa.Table.from_batches([first]), model=model, **options).to_pylist()
    ):
        if row["label"] is not None and row["label"] not in found and len(found) < EXAMPLES:
            found[row["label"]] = row | {"looked_at": looked_at[number]}
    return tuple(found.values())
