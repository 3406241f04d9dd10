"""stream: records decided as they arrive, each once, whatever is killed when."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tallystick import durations, registry
from tallystick.connectors import TablePlace, open_sink
from tallystick.contracts import Contract
from tallystick.errors import UsageError
from tallystick.inputs.context import RunContext
from tallystick.jobs.options import (
    Reading,
    refuse_inside_model,
    refuse_same_path,
    refuse_unused_maps,
    run_context,
)
from tallystick.jobs.records_input import label_delay
from tallystick.jobs.warming import warm
from tallystick.learning.sequences import SEQUENCE
from tallystick.notify import Notifier, Notify
from tallystick.scorer import Scorer, Want, find_bundles, load_scorer, opened_by
from tallystick.store import Store
from tallystick.streams import sinks, sources
from tallystick.streams.aggregates import Aggregates
from tallystick.streams.loop import StopCondition
from tallystick.streams.models import Watched, stamp_of
from tallystick.streams.recovery import facts_of
from tallystick.streams.running import StreamInputs, StreamOutputs, StreamRun
from tallystick.streams.source import StreamSource
from tallystick.streams.state import StreamState
from tallystick.streams.stats import Stats
from tallystick.streams.stats_snapshot import StreamSnapshot
from tallystick.tasks import Solution

__all__ = ["Show", "Streamed", "stream"]

DAY = timedelta(days=1) // timedelta(microseconds=1)
Show = Callable[[Callable[[], StreamSnapshot], str], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Streamed:
    """What came of a stream: its figures, where its state and its decisions are, what it ended with."""

    solution: str
    state: str
    sinks: tuple[str, ...]
    figures: StreamSnapshot
    entry: int
    report: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "solution": self.solution,
            "state": self.state,
            "sinks": list(self.sinks),
            "entry": self.entry,
            "report": None if self.report is None else str(self.report),
            **self.figures.to_dict(),
        }


def stream(
    solution: str,
    *,
    source: str | Path,
    model: str | Path,
    sink: str | Path | Sequence[str | Path] = (),
    state: str | None = None,
    history: Any = None,
    labels: str | Path | None = None,
    task: Sequence[str] = (),
    rules: str | Path | None = None,
    rate: float | None = None,
    max_events: int | None = None,
    until_idle: bool = False,
    forget_sink: Sequence[str] = (),
    shadow: str | Path | None = None,
    notify: str | Path | None = None,
    aggregates: str | Path | None = None,
    aggregates_sink: str | None = None,
    metrics: str | int | None = None,
    report: str | Path | None = None,
    all_scores: bool = False,
    reasons: bool = True,
    show: Show | None = None,
    say: Callable[[str], None] = lambda _: None,
    **options: Unpack[Reading],
) -> Streamed:
    """Decide what a source gives as it comes, until the source ends, `max_events`, idleness or a signal.

    source, labels: a growing file or folder, `-`, kafka://, a database table; sink: a file, a folder of
    Parquet parts, kafka://, a database, a webhook, any number of them; state: where the log is kept
    (`sqlite:///MODEL/state.db`), from which the same call goes on after a stop or a kill; history: what came
    before, so that windows start warm; rate: records a second of an input that is replayed; forget_sink:
    names of sinks of earlier runs for which nothing is to be kept any more; shadow: a model folder that
    decides beside, unheard; notify and aggregates: files that say who is told, and what is added up; metrics:
    `[HOST:]PORT` on which Prometheus finds figures; report: a file of charts at the end. show: draws what
    runs, under a title; say: where notifications to the console go.
    """
    found = registry.solution(solution)
    if found.contract.open:
        found = opened_by(found, find_bundles(found, model, task))
    context = run_context("stream", **options)
    refuse_unused_maps(context, history=history, labels=labels)
    outputs = [str(one) for one in ([sink] if isinstance(sink, (str, Path)) else sink)]
    _refuse(context, outputs, max_events, report, aggregates, aggregates_sink)
    _apart(
        model,
        outputs,
        {"source": source, "labels": labels, "history": history, "notify": notify, "rules": rules},
        {"report": report, "quarantine": context.quarantine, "aggregates-sink": aggregates_sink},
    )

    def load(folder: str | Path) -> Scorer:
        return load_scorer(
            found,
            folder,
            context.settings,
            tasks=task,
            rules=rules,
            want=Want(reasons, context.settings.reasons == "all", all_scores, context.settings.cores()),
        )

    stamp = stamp_of(Path(model))
    scorer = load(model)
    beside = None if shadow is None else _shadow(scorer, load(shadow))
    settings = context.settings
    lateness = durations.parse(settings.allowed_lateness) if settings.allowed_lateness else 0
    keep_days = durations.parse(settings.retention) // DAY if settings.retention else 0
    if settings.retention and not keep_days:
        raise UsageError(f"retention={context.settings.retention} is less than a day.", "Write it as 90d.")
    notify_rules = None if notify is None else Notify.read(notify, _known_values(scorer))
    added = None if aggregates is None else Aggregates.read(aggregates, found.contract)
    inputs = StreamInputs(
        _source(found.contract, str(source), context, rate),
        None if labels is None else _source(_labels(found), str(labels), context),
        context.mapping,
        max_events,
        context.as_of,
        labels_mapping=context.mappings.get("labels", {}),
        needs=scorer.needs_of_row,
    )
    to = partial(sinks.open_stream, settings=context.settings, stream=found.name)
    stats = Stats(found.name, harmless=scorer.harmless)
    for part in (scorer.rules, scorer.routing, notify_rules):
        for note in () if part is None else part.notes:
            stats.add_note(note)
    stream_state = StreamState(
        scorer,
        _schema(found),
        horizon=found.horizon_us,
        delay=label_delay(found, context),
        labels=found.labels,
    )
    if stream_state.window_state is not None:
        stream_state.window_state.allowed_lateness_us = lateness
    uri = state or f"sqlite:///{Path(model).resolve() / 'state.db'}"
    with Store.open(uri, durability=context.settings.durability) as store:
        running = StreamRun(
            store,
            found.name,
            stream_state,
            context.settings,
            inputs,
            StreamOutputs(
                [to(one, scorer.schema) for one in outputs],
                added,
                to(aggregates_sink, added.schema) if added and aggregates_sink else None,
                notify_rules,
                Notifier(notify_rules, _Outbox(store, found.name), source=found.name, print_line=say)
                if notify_rules
                else None,
            ),
            stats,
            facts_of(scorer, lateness),
            lambda stream_state: warm(stream_state, found, history, context, stats.add_note),
            warmed=history is not None,
            ending=StopCondition(until_idle),
            keep_days=keep_days,
            forgotten=list(dict.fromkeys(forget_sink)),
        )

        names = [one.name for one in running.outputs.all_sinks()]
        if len(set(names)) < len(names):
            raise UsageError(
                f"Two sinks are the same place: {', '.join(sorted(names))}.",
                "Name each once; places that differ in what follows a ? alone count as one.",
            )

        def models(stream_state: StreamState) -> Watched:
            return Watched(
                stream_state.scorer, Path(model), lambda: load(model), stats.add_note, beside, stamp
            )

        with (
            _measured(stats, metrics),
            _stopped_by_signals(running),
            nullcontext() if show is None else show(stats.snapshot, f"{found.name}: {inputs.records.name}"),
        ):
            running.run(models)
        if context.quarantine is not None:
            _set_apart(store, found.name, context.quarantine)
        kept = store.uri_shown
    figures = stats.snapshot()
    if report is not None:
        from tallystick.figures.stream_page import stream_page

        Path(report).write_text(stream_page(figures.to_dict()), encoding="utf-8")
    return Streamed(
        found.name,
        kept,
        tuple(one.name for one in running.outputs.sinks),
        figures,
        0 if running.loop is None else running.loop.number,
        None if report is None else Path(report),
    )


def _known_values(scorer: Scorer) -> dict[str, Sequence[str]]:
    """Return what decisions can say, column by column, for rules that name something else."""
    tasks = [one.task for one in scorer.predictors]
    known = {
        "task": [task.name for task in tasks],
        "label": [label for one in scorer.predictors for label in (*one.outputs, "yes", "no")],
        "action": [action for task in tasks for action in task.policy.actions],
        "reason": [] if scorer.rules is None else [rule.name for rule in scorer.rules.rules],
    }
    if scorer.routing is not None:
        known |= scorer.routing.known_values
    return {name: list(dict.fromkeys(values)) for name, values in known.items() if values}


def _refuse(
    context: RunContext,
    sinks: Sequence[str],
    most: int | None,
    report: Any,
    aggregates: Any,
    aggregates_sink: Any,
) -> None:
    """Raise UsageError for options that do not fit together, or mean nothing."""
    if most is not None and most < 0:
        raise UsageError(f"A stream cannot end after {most:,} records.", "Write --max-events 1000.")
    if context.tables:
        raise UsageError(
            "A stream joins no tables: what its records lack comes later, or never.",
            "Send records that hold the columns; `tallystick validate` with --table writes them.",
        )
    if context.strict or context.max_quarantine is not None:
        raise UsageError(
            "A stream goes on where a record is bad; it keeps that one in quarantine.",
            "Leave --strict and --max-quarantine out; `--quarantine FILE` writes the bad ones at the end.",
        )
    if report is not None and Path(report).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{report} is no HTML file.", "Give the report a name that ends in .html.")
    if report is not None:
        Path(report).parent.mkdir(
            parents=True, exist_ok=True
        )  # a stream may run for days before it is written
    if len(set(sinks)) < len(sinks):
        raise UsageError("A sink is named twice.", "Name each once.")
    if (aggregates is None) != (aggregates_sink is None):
        raise UsageError(
            "Aggregates want both a file that says what is added up and a place for the rows.",
            "Give --aggregates FILE and --aggregates-sink URI.",
        )


def _apart(
    model: str | Path, sinks: Sequence[str], read: Mapping[str, Any], others: Mapping[str, Any]
) -> None:
    """Raise UsageError where what is written would go over what is read, or over something else."""
    refuse_inside_model(model, **others)
    refuse_same_path(read, others)
    for one in sinks:
        if one != "-":
            refuse_inside_model(model, sink=one)
            refuse_same_path(read, {"sink": one, **others})


def _source(contract: Contract, uri: str, context: RunContext, rate: float | None = None) -> StreamSource:
    known = [name for column in contract.columns for name in (column.name, *column.aliases)]
    return sources.open_stream(uri, context.settings, known=known, rate=rate)


def _labels(solution: Solution) -> Contract:
    if solution.labels is None:
        raise UsageError(f"{solution.name} takes no labels of their own.", "Leave --labels out.")
    return solution.labels


def _shadow(scorer: Scorer, shadow: Scorer) -> Scorer:
    """Raise UsageError for a shadow that looks at other windows: there is one state."""
    ours, theirs = scorer.windows, shadow.windows
    if (ours and ours.fingerprint) != (theirs and theirs.fingerprint):
        raise UsageError(
            "The shadow model looks at other windows than the model, and a stream has one state of them.",
            "Train both with the same --windows, or run a second stream with a --state of its own.",
        )
    return shadow


def _schema(solution: Solution) -> pa.Schema:
    """Return what the log keeps of a record: what its contract knows, but for an order recorded elsewhere."""
    return pa.schema([(c.name, c.arrow) for c in solution.contract.columns if c.name != SEQUENCE])


def _address(text: str) -> tuple[str, int]:
    """Read [HOST:]PORT; without a host it is this machine alone that is answered."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise UsageError(f'metrics "{text}" is no port.', "Write it as 9100, or 0.0.0.0:9100.")
    return host or "127.0.0.1", int(port)


@contextmanager
def _measured(stats: Stats, address: str | int | None) -> Iterator[None]:
    """Serve figures while the block runs, where that is asked for."""
    if address is None:
        yield
        return
    from tallystick.streams.metrics import start

    server = start(stats, *_address(str(address)))
    try:
        yield
    finally:
        server.close()


@contextmanager
def _stopped_by_signals(running: StreamRun) -> Iterator[None]:
    """Let SIGINT and SIGTERM end a stream gracefully; a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Polars takes SIGINT when it is imported, and from then on raises KeyboardInterrupt in whichever thread
    # runs a query: it is loaded here, so that what is set below comes after it.
    registry.engine("local").load()
    before: Mapping[int, Any] = {}

    def stop(number: int, _: Any) -> None:
        signal.signal(number, before[number])
        running.stop()

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Outbox:
    """The notices of one stream."""

    def __init__(self, store: Store, stream: str) -> None:
        self._store, self._stream = store, stream

    def due(self, now: int, most: int) -> Any:
        return self._store.due(self._stream, now, most)

    def settle(
        self,
        done: Sequence[int] = (),
        failed: Sequence[tuple[int, int, str]] = (),
        dead: Sequence[tuple[int, str]] = (),
    ) -> None:
        self._store.settle(self._stream, done, failed, dead)


def _set_apart(store: Store, stream: str, path: Path | TablePlace) -> None:
    """Write what is in quarantine to a file."""
    with open_sink(path, store.quarantine(stream).schema) as sink:
        for batch in store.quarantine(stream, most=10**9).to_batches():
            sink.write(batch)
