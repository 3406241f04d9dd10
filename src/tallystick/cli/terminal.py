"""Terminal output: results on stdout, progress and messages on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tallystick.errors import TallystickError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["Terminal", "escape", "logging_to_stderr", "print_error"]


def escape(text: str) -> str:
    """Escape rich markup in user-supplied text."""
    from rich.markup import escape as escape_markup

    return escape_markup(text)


class Terminal:
    """Output of a command: progress on stderr, the result on stdout.

    As a context manager it is also the Progress that jobs report to.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        from rich.console import Console

        self.as_json, self.quiet = as_json, quiet
        self.out = Console(soft_wrap=False, highlight=False)
        self.err = Console(stderr=True, highlight=False)
        self._bar: Bar | None = None
        self._stage: TaskID | None = None

    def __enter__(self) -> Terminal:
        if not self.quiet and self.err.is_terminal:
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("  {task.description}"),
                BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self.err,
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, description: str, total: int | None = None) -> None:
        """Replace the current stage by a new one."""
        if self._bar is None:
            return
        if self._stage is not None:
            self._bar.remove_task(self._stage)
        self._stage = self._bar.add_task(escape(description), total=total)

    def step(self, done: int = 1) -> None:
        """Advance the progress bar."""
        if self._bar is not None and self._stage is not None:
            self._bar.advance(self._stage, done)

    def say(self, text: str = "") -> None:
        """Print a line of the result, unless --json or --quiet is set."""
        if not self.as_json and not self.quiet:
            self.out.print(text)

    def note(self, text: str) -> None:
        """Print a note on stderr."""
        if not self.quiet:
            self.err.print(f"[dim]{escape(text)}[/dim]")

    def result(self, document: dict[str, Any]) -> None:
        """Print the result as JSON when --json is set."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")

    def table(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1
    ) -> None:
        """Print a table; the first `left` columns are text, the others numbers."""
        if self.as_json or self.quiet:
            return
        from rich.table import Table

        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for i, name in enumerate(columns):
            table.add_column(
                name,
                justify="left" if i < left else "right",
                header_style="dim",
                overflow="fold",
                no_wrap=i >= left,
            )
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self.out.print(table)
        self.out.print()

    def next_steps(self, *commands: str) -> None:
        """Print suggested next commands."""
        if self.as_json or self.quiet:
            return
        from rich.text import Text

        self.out.print("[bold]Next[/bold]")
        for command in commands:
            # Whole on its line, and no name in it taken for markup or an emoji: it is pasted into a shell.
            self.out.print(Text(f"  {command}", style="cyan"), soft_wrap=True)


def print_error(error: TallystickError) -> None:
    """Print an error and its hint on stderr, without a stack trace."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]Error:[/bold red] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        console.print(escape(error.hint), soft_wrap=True)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **({"trace": self.formatException(record.exc_info)} if record.exc_info else {}),
            },
            ensure_ascii=False,
        )


def logging_to_stderr(level: str, log_format: str) -> None:
    """Send the log to stderr, as text or as one JSON object per line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLines()
        if log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logger = logging.getLogger("tallystick")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
