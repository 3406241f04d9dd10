"""score: a decision for each record and task, with its reasons and its route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa
import pyarrow.compute as pc

from tallystick import registry
from tallystick.connectors import Chunk, TablePlace, open_sink, place
from tallystick.contracts import Naming, Report
from tallystick.errors import UsageError
from tallystick.jobs.event_score import score_events, write_decisions
from tallystick.jobs.frames import like
from tallystick.jobs.intake import Intake
from tallystick.jobs.options import Reading, apart, outside, work
from tallystick.jobs.past import refuse_event_options
from tallystick.scorer import EventModel, Scored, Scorer, load_scorer

__all__ = ["Scores", "score"]


@dataclass
class Scores:
    """What scoring did: the account of the input, and counts of what was decided."""

    intake: Report
    decisions: int = 0
    output: Path | TablePlace | None = None
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    routing: str | None = None
    rules: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; the decisions themselves are in the output."""
        return {
            **self.intake.to_dict(),
            "decisions": self.decisions,
            "output": str(self.output) if self.output else None,
            "models": list(self.models),
            "routing": self.routing,
            "rules": self.rules,
            **{name: dict(counter.most_common()) for name, counter in self.counts.items()},
        }


def score(
    solution: str,
    source: Any,
    *,
    model: str | Path,
    output: str | Path | TablePlace | None = None,
    task: Sequence[str] = (),
    rules: str | Path | None = None,
    history: Any = None,
    labels: Any = None,
    all_scores: bool = False,
    reasons: bool = True,
    **options: Unpack[Reading],
) -> Any:
    """Decide every record of a path or a frame.

    With an output its decisions are written there and an account of the run is returned; without one, for a
    frame, the decisions come back as the same kind of frame. rules: a file of rules beside the model;
    history: what came before the input, so that behaviour is known from the first row on; labels: labels of
    their own, which count from when they became known.
    """
    found = registry.solution(solution)
    job = work("score", **options)
    # A wrong name is said before any work is done.
    outside(model, output=output, quarantine=job.quarantine)
    apart(
        {"history": history, "labels": labels, "rules": rules or job.settings.rules},
        {"output": output, "quarantine": job.quarantine},
    )
    if output is not None:
        open_sink(output)
    elif isinstance(source, (str, Path)):
        raise UsageError("The decisions of a path need an output.", 'Give one: output="decisions.csv".')
    scorer = load_scorer(
        found,
        model,
        job.settings,
        tasks=task,
        as_of=job.as_of,
        rules=rules,
        reasons=reasons,
        all_scores=all_scores,
    )
    tally = _Tally()
    if any(isinstance(one, EventModel) for one in scorer.models):
        target = None if output is None else place(output)
        table, report = score_events(scorer, source, job, target, history=history, labels=labels)
        if target is None:
            return like(table, source)
        write_decisions(table, target, job.settings.batch_rows)
        for batch in table.to_batches():
            tally.add(batch)
        if scorer.rules is not None:
            report += Report(notes=scorer.rules.notes)
        return _scores(report, tally, target, scorer)
    refuse_event_options(found, rules=rules, history=history, labels=labels)
    needs = {column: "to score" for one in scorer.models for column in one.task.needs}
    intake = Intake.open(found, source, job, labels_wanted=False, needs=needs)

    def decide(chunk: Chunk, naming: Naming) -> Scored:
        return scorer.score(chunk.rows, naming, chunk.name, chunk.records)

    if output is None:
        parts: list[pa.RecordBatch] = []
        intake.collect(decide, lambda done: parts.append(done.decisions), parts.clear)
        return like(pa.Table.from_batches(parts, scorer.schema), source)

    def write(done: Scored) -> pa.RecordBatch:
        tally.add(done.decisions)
        return done.decisions

    report = intake.flow(decide, write, output, scorer.schema, tally.clear)
    if scorer.routing is not None and job.settings.routing:
        report += Report(notes=scorer.routing.notes)
    return _scores(report, tally, place(output), scorer)


def _scores(report: Report, tally: _Tally, output: Path | TablePlace, scorer: Scorer) -> Scores:
    """Say what was done."""
    return Scores(
        report,
        tally.rows,
        output,
        tally.counts,
        tuple(one.name for one in scorer.models),
        scorer.routing.fingerprint[:12] if scorer.routing else None,
        scorer.rules.fingerprint[:12] if scorer.rules else None,
    )


class _Tally:
    """Counts what was decided as it passes."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin again, as a second pass does."""
        self.rows = 0
        self.counts: dict[str, Counter[str]] = {"labels": Counter(), "actions": Counter()}

    def add(self, decisions: pa.RecordBatch) -> None:
        """Count a batch."""
        self.rows += len(decisions)
        self._count("labels", decisions.column("label"))
        self._count("actions", decisions.column("action"))
        if "route" in decisions.schema.names:
            department, priority = decisions.column("route").flatten()[:2]
            self._count("departments", department)
            self._count("priorities", priority)

    def _count(self, name: str, column: pa.Array) -> None:
        for one in pc.value_counts(column).to_pylist():
            if one["values"] is not None:
                self.counts.setdefault(name, Counter())[one["values"]] += one["counts"]
