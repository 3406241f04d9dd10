"""load: a trained model as an object that scores what it is given, one row or many, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tallystick import registry
from tallystick.errors import DataError, UsageError
from tallystick.inputs.frame_columns import mapping_rows
from tallystick.inputs.frames import frame_like, rows_of
from tallystick.jobs.options import Common, refuse_unused_maps, run_context
from tallystick.jobs.records_input import columns_of, history_errors, read_records, refuse_unused
from tallystick.learning import replay
from tallystick.scorer import Scored, Scorer, Want, WindowedBatch, load_scorer
from tallystick.windows import WindowState

__all__ = ["LoadedScorer", "load"]


class LoadedScorer:
    """A loaded model with its window state: rows that are scored are applied in the order in which they come.

    So rows given one by one get what a batch of the same rows in the order of their times gets. It is used by
    one thread at a time.
    """

    def __init__(
        self, scorer: Scorer, state: WindowState | None, mapping: Mapping[str, str] | None = None
    ) -> None:
        self.scorer, self.state, self.mapping = scorer, state, mapping or {}

    def score(self, rows: Any) -> Any:
        """Decide a row (a mapping), rows (a list of mappings), or a frame; decisions come back alike.

        A mapping gives a mapping for one task, a list for several. Raises DataError where a row given by
        itself is refused by the contract, and where a column that the models read is missing. A mapping may
        leave out what training rows were without as well; it is blank then.
        """
        if isinstance(rows, dict):
            found = mapping_rows([rows])
            if found.broken:
                odd = found.broken[0]
                raise DataError(f"The row cannot be scored: {odd.code}.", f"{odd.column}: {odd.message}")
            scored = self._score(found.table, self.scorer.needs_of_row)
            bad = scored[0].checked.bad
            if len(bad.code):
                raise DataError(
                    f"The row cannot be scored: {bad.code[0]}.", f"Look at {bad.column[0] or 'its columns'}."
                )
            decisions = _table(scored, self.scorer).to_pylist()
            return decisions[0] if len(self.scorer.predictors) == 1 else decisions
        if isinstance(rows, list):
            table = mapping_rows(rows).table
            return _table(self._score(table, self.scorer.needs_of_row), self.scorer).to_pylist()
        return frame_like(_table(self._score(rows_of(rows).table, self.scorer.needs), self.scorer), rows)

    def _score(self, table: pa.Table, needs: Mapping[str, str]) -> list[Scored]:
        names = table.column_names
        naming = self.scorer.contract.resolve(names, self.mapping)
        naming.require(needs)
        batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        return [self.scorer.score(batch, naming, "frame", state=self.state) for batch in batches]


def _table(scored: list[Scored], scorer: Scorer) -> pa.Table:
    return pa.Table.from_batches([one.decisions for one in scored], scorer.schema)


def load(
    solution: str,
    model: str | Path,
    *,
    task: Sequence[str] = (),
    history: Any = None,
    labels: Any = None,
    rules: str | Path | None = None,
    all_scores: bool = False,
    reasons: bool = True,
    map: Mapping[str, str] | None = None,
    **options: Unpack[Common],
) -> LoadedScorer:
    """Load a model folder as an object with `score(rows)`.

    history: what came before, so that windows start warm; labels: labels of that history; map: their names of
    columns → ours, of rows and history. Raises UsageError where there is no model, or the solution has no use
    for an option.
    """
    found = registry.solution(solution)
    context = run_context("score", map=map, **options)
    refuse_unused_maps(context, history=history, labels=labels)
    refuse_unused(found, history=history, labels=labels)
    if labels is not None and history is None:
        raise UsageError("Labels are of records that came before.", "Give them too: history=…")
    scorer = load_scorer(
        found, model, context.settings, tasks=task, as_of=context.as_of, rules=rules,
        want=Want(reasons, context.settings.reasons == "all", all_scores),
    )  # fmt: skip
    state = scorer.new_state()
    if history is not None:
        columns = columns_of(found, [one.task for one in scorer.predictors])
        with history_errors():
            records = read_records(
                found, history, context.beside("history"), columns, labels=labels, needs=dict(scorer.needs)
            )

        def apply(rows: pa.RecordBatch, label: Any) -> WindowedBatch:
            return scorer.apply_windows(rows, state, label)

        for _ in replay(records, apply):
            pass
    return LoadedScorer(scorer, state, context.mapping)
