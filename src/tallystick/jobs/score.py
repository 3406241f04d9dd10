"""score: a decision for each record and task, with its reasons and its route."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick import registry
from tallystick.connectors import Chunk, TablePlace, open_sink, place
from tallystick.contracts import Checked, ColumnMapping, Report
from tallystick.errors import UsageError
from tallystick.inputs.context import RunContext
from tallystick.inputs.frames import frame_like
from tallystick.jobs.open_input import open_input
from tallystick.jobs.options import (
    Reading,
    refuse_inside_model,
    refuse_same_path,
    refuse_unused_maps,
    run_context,
)
from tallystick.jobs.records_input import columns_of, read_records, refuse_unused
from tallystick.learning.records import Records, replay
from tallystick.scorer import (
    Scorer,
    Want,
    WindowedBatch,
    find_bundles,
    load_scorer,
    opened_by,
)
from tallystick.tasks import Solution

__all__ = ["Scores", "decide_records", "score"]


@dataclass(frozen=True)
class _Part:
    """Rows that went through the windows: their places among the records, ids, and window features."""

    rows: NDArray[np.int64]
    ids: pa.Array
    windowed: WindowedBatch


@dataclass(frozen=True)
class _Decided:
    rows: NDArray[np.int64]
    decisions: pa.RecordBatch


@dataclass(frozen=True)
class _DecideWindowed:
    """Decides rows that went through the windows."""

    scorer: Scorer

    def __call__(self, part: _Part) -> _Decided:
        return _Decided(part.rows, self.scorer.decide(part.windowed, part.ids))


@dataclass
class Scores:
    """What scoring did: the account of the input, and counts of what was decided.

    trained_on: how many rows are ones that a model was trained on, or near copies of them.
    """

    input_report: Report
    decisions: int = 0
    output: Path | TablePlace | None = None
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    routing: str | None = None
    rules: str | None = None
    trained_on: int = 0

    @property
    def trained_on_share(self) -> float:
        """The share of the rows that a model was trained on, or near copies of such rows."""
        return self.trained_on / max(self.input_report.rows_clean, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON; the decisions themselves are in the output."""
        return {
            **self.input_report.to_dict(),
            "decisions": self.decisions,
            "output": str(self.output) if self.output else None,
            "models": list(self.models),
            "routing": self.routing,
            "rules": self.rules,
            "trained_on": {"rows": self.trained_on, "share": self.trained_on_share},
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
    history: what came before the input, so that windows start warm; labels: labels of their own, which count
    from when they became known.
    """
    found = registry.solution(solution)
    context = run_context("score", **options)
    # A wrong name is said before any work is done.
    refuse_inside_model(model, output=output, quarantine=context.quarantine)
    refuse_same_path(
        {"history": history, "labels": labels, "rules": rules or context.settings.rules},
        {"output": output, "quarantine": context.quarantine},
    )
    if output is not None:
        open_sink(output)
    elif isinstance(source, (str, Path)):
        raise UsageError("The decisions of a path need an output.", 'Give one: output="decisions.csv".')
    refuse_unused(found, history=history, labels=labels)
    found = opened_by(found, find_bundles(found, model, task)) if found.contract.open else found
    all_reasons = context.settings.reasons == "all"
    scorer = load_scorer(
        found, model, context.settings, tasks=task, as_of=context.as_of, rules=rules,
        want=Want(reasons, all_reasons, all_scores),
    )  # fmt: skip
    target = None if output is None else place(output)
    if scorer.windows is not None or history is not None or labels is not None:
        table, report, trained_on = _in_order(found, scorer, source, context, target, history, labels)
        if target is None:
            return frame_like(table, source, report)
        tally = _Tally()
        tally.trained_on = trained_on
        with open_sink(target, table.schema) as sink:
            for batch in table.to_batches(max_chunksize=context.settings.batch_rows):
                sink.write(batch)
                tally.add(batch)
        return _scores(report, tally, target, scorer)
    return _one_by_one(found, scorer, source, context, target)


@dataclass(frozen=True)
class _ChunkDecisions:
    """The decisions of a chunk; trained_on: how many of its rows a model was trained on."""

    decisions: pa.RecordBatch
    trained_on: int


@dataclass(frozen=True)
class _Decide:
    """Checks and decides a chunk; training_rows: whether rows that a model was trained on are counted."""

    scorer: Scorer
    training_rows: bool

    def __call__(self, chunk: Chunk, column_mapping: ColumnMapping) -> tuple[Checked, _ChunkDecisions]:
        scored = self.scorer.score(chunk.rows, column_mapping, chunk.name, chunk.records)
        clean, known = scored.checked.rows, 0
        if self.training_rows and len(clean):
            ids = self.scorer.ids(clean, chunk.name, chunk.records[scored.checked.kept])
            known = self.scorer.count_trained_on(clean, ids)
        return scored.checked, _ChunkDecisions(scored.decisions, known)


def _one_by_one(
    solution: Solution, scorer: Scorer, source: Any, context: RunContext, target: Path | TablePlace | None
) -> Any:
    """Decide batch after batch as they are read, in bounded memory: no row looks at another one."""
    refuse_unused_maps(context)
    reader = open_input(solution, source, context, labels_wanted=False, needs=dict(scorer.needs))

    if target is None:
        parts: list[_ChunkDecisions] = []
        report = reader.collect(_Decide(scorer, training_rows=False), parts.append, parts.clear)
        table = pa.Table.from_batches([one.decisions for one in parts], scorer.schema)
        return frame_like(table, source, report)
    tally = _Tally()

    def take(made: _ChunkDecisions) -> None:
        tally.add(made.decisions)
        tally.trained_on += made.trained_on

    report = reader.flow(
        _Decide(scorer, training_rows=True), target, scorer.schema,
        rows=lambda made: made.decisions, take=take, again=tally.clear,
    )  # fmt: skip
    if scorer.routing is not None:
        report += Report(notes=scorer.routing.notes)
    return _scores(report, tally, target, scorer)


def _in_order(
    solution: Solution,
    scorer: Scorer,
    source: Any,
    context: RunContext,
    target: Path | TablePlace | None,
    history: Any,
    labels: Any,
) -> tuple[pa.Table, Report, int]:
    """Read an input with what came before it, replay it in the order of its times, and decide it.

    The number says how many of its rows a model was trained on.
    """
    columns = columns_of(solution, [one.task for one in scorer.predictors])
    records = read_records(
        solution, source, context, columns, history=history, labels=labels, output=target,
        needs=dict(scorer.needs),
    )  # fmt: skip
    state = scorer.new_state()
    decisions, report = decide_records(scorer, records, context, state), records.report
    early = 0 if state is None else state.left_early
    if early:
        report += Report(
            notes=(f"Events that left an exact window early, its cap being reached: {early:,}.",)
        )
    for part in (scorer.rules, scorer.routing):
        report += Report(notes=() if part is None else part.notes)
    rows, ids = records.rows, records.ids
    if not records.given.all():
        given = pa.array(records.given)
        rows, ids = rows.filter(given), ids.filter(given)
    return decisions, report, scorer.count_trained_on(rows, ids)


def decide_records(scorer: Scorer, records: Records, context: RunContext, state: Any = None) -> pa.Table:
    """Replay records through the windows and decide those of the input, in the order of its rows."""
    context.progress.stage("Scoring", int(records.given.sum()))
    places: list[NDArray[np.int64]] = []
    parts: list[pa.RecordBatch] = []

    given = _given(scorer, records, state)
    decide = _DecideWindowed(scorer)
    for decided in context.engine.map(decide, given, context.settings.cores()):
        places.append(decided.rows)
        parts.append(decided.decisions)
        context.progress.step(len(decided.rows))
    table = pa.Table.from_batches(parts, scorer.schema)
    rows = np.concatenate([np.zeros(0, np.int64), *places])
    index = np.argsort(np.repeat(rows, len(scorer.predictors)), kind="stable")
    in_order = bool((index[1:] > index[:-1]).all())
    return table if in_order else table.take(pa.array(index))


def _given(scorer: Scorer, records: Records, state: Any) -> Iterator[_Part]:
    """Replay, and pass on what belongs to the input; what came before it only warms the windows."""

    def apply(rows: pa.RecordBatch, labels: NDArray[np.bool_]) -> WindowedBatch:
        return scorer.apply_windows(rows, state, labels)

    for at, windowed in replay(records, apply):
        mine = records.given[at]
        if not mine.all():
            at, windowed = at[mine], windowed.take(np.flatnonzero(mine))
        if len(at):
            yield _Part(at, records.ids.take(pa.array(at)), windowed)


def _scores(report: Report, tally: _Tally, output: Path | TablePlace, scorer: Scorer) -> Scores:
    """Say what was done."""
    return Scores(
        report,
        tally.rows,
        output,
        tally.counts,
        tuple(one.name for one in scorer.predictors),
        scorer.routing.fingerprint[:12] if scorer.routing else None,
        scorer.rules.fingerprint[:12] if scorer.rules else None,
        tally.trained_on,
    )


class _Tally:
    """Counts what was decided as it passes."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin again, as a second pass does."""
        self.rows = self.trained_on = 0
        self.counts: dict[str, Counter[str]] = {"labels": Counter(), "actions": Counter()}

    def add(self, decisions: pa.RecordBatch) -> None:
        """Count a batch."""
        self.rows += len(decisions)
        self._count("labels", decisions.column("label"))
        self._count("actions", decisions.column("action"))
        route = decisions.column("route")
        if route.null_count < len(route):
            department, priority = route.flatten()[:2]
            self._count("departments", department)
            self._count("priorities", priority)

    def _count(self, name: str, column: pa.Array) -> None:
        for one in pc.value_counts(column).to_pylist():
            if one["values"] is not None:
                self.counts.setdefault(name, Counter())[one["values"]] += one["counts"]
