"""load: a trained model as an object that scores what it is given, one row or many, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from tallystick import registry
from tallystick.contracts import Report
from tallystick.errors import DataError, UsageError
from tallystick.inputs.frame_columns import FrameRows, mapping_rows
from tallystick.inputs.frames import frame_like, rows_of, warn_of_missing_rows
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
            scored = self._score(found, self.scorer.needs_of_row)
            bad = scored[0].checked.bad
            if len(bad.code):
                raise DataError(
                    f"The row cannot be scored: {bad.code[0]}.", f"Look at {bad.column[0] or 'its columns'}."
                )
            decisions = _table(scored, self.scorer).to_pylist()
            return decisions[0] if len(self.scorer.predictors) == 1 else decisions
        if isinstance(rows, list):
            given = mapping_rows(rows)
            scored = self._score(given, self.scorer.needs_of_row)
            warn_of_missing_rows(_report(scored, given))
            return _table(scored, self.scorer).to_pylist()
        given = rows_of(rows)
        scored = self._score(given, self.scorer.needs)
        return frame_like(_table(scored, self.scorer), rows, _report(scored, given))

    def _score(self, given: FrameRows, needs: Mapping[str, str]) -> list[Scored]:
        table = given.table
        names = table.column_names
        column_mapping = self.scorer.contract.resolve(names, self.mapping)
        column_mapping.require(needs)
        batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
        ends = np.cumsum([len(batch) for batch in batches]).tolist()
        return [
            self.scorer.score(
                batch, column_mapping, "frame", given.records[end - len(batch) : end], self.state
            )
            for batch, end in zip(batches, ends, strict=True)
        ]


def _report(scored: list[Scored], given: FrameRows) -> Report:
    """Account for the rows that were given."""
    codes = [one.code for one in given.broken] + [code for one in scored for code in one.checked.bad.code]
    return Report.of(codes, sum(len(one.checked.rows) for one in scored))


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
