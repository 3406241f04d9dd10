"""Reports as pages: one HTML file that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tallystick.connectors import Location, found_file_systems
from tallystick.errors import TallystickError, UsageError
from tallystick.evaluation import report_sections
from tallystick.figures import analysis_page, page
from tallystick.models import Bundle
from tallystick.report import Nouns
from tallystick.tasks import Solution

__all__ = ["check_page", "evaluation_page", "write_analyses", "write_page"]


def check_page(path: str | Path, source: Any) -> None:
    """Raise UsageError when a page cannot be written there, or is the input: said before the work."""
    location = Location.parse(str(path))
    if location.scheme not in found_file_systems():
        raise UsageError(f"{path} is no place for a page.", "Name a file, such as report.html.")
    if not location.path.lower().endswith((".html", ".htm")):
        raise UsageError(
            f"{path}: a report is an HTML page.", "Name a file that ends in .html, and print that."
        )
    if isinstance(source, (str, Path)) and str(source) != "-":
        given = Location.parse(str(source))
        system = found_file_systems().get(given.scheme)
        same = system is not None and given.scheme == location.scheme
        if system is not None and same and system.resolve(given.path) == system.resolve(location.path):
            raise UsageError(f"{path} is the input itself.", "Name another place for the page.")


def write_page(
    path: str | Path, solution: Solution, evaluation: Mapping[str, Any], bundles: Mapping[str, Bundle]
) -> None:
    """Write the report of an evaluation, whole or not at all."""
    facts: dict[str, str] = {}
    for bundle in bundles.values():
        training = bundle.manifest["training"]
        facts["Model"] = bundle.name
        facts["Learner"] = bundle.manifest["learner"]["title"]
        facts["Features"] = (
            f"{bundle.manifest['features']['count']:,}: {bundle.manifest['features']['words']}"
        )
        span = f", {training['from'][:10]} to {training['until'][:10]}" if training["from"] else ""
        facts["Learned from"] = f"{training['rows']:,} rows{span}"
    _write(path, evaluation_page(evaluation, solution.nouns, title=solution.title, facts=facts))


def evaluation_page(
    evaluation: Mapping[str, Any],
    nouns: Nouns,
    *,
    title: str = "Evaluation",
    facts: Mapping[str, str] | None = None,
) -> str:
    """Make the HTML page of `{"tasks": {TASK: report}}`, the JSON of *evaluate*."""
    lead, sections = report_sections(evaluation["tasks"], nouns)
    return page(title, sections, lead=lead, facts=facts, data=evaluation)


def write_analyses(
    path: str | Path, solution: Solution, analyses: Sequence[Any], charts: Mapping[str, Any]
) -> None:
    """Write analyses as a page: each a figure, where it has one, and its table."""
    _write(path, analysis_page(analyses, charts, title=solution.title))


def _write(path: str | Path, html: str) -> None:
    """Write a page, whole or not at all."""
    location = Location.parse(str(path))
    pending = found_file_systems()[location.scheme].open_write_beside(location.path)
    try:
        pending.file.write(html.encode())
        pending.commit()
    except OSError as error:
        pending.abort()
        raise TallystickError(
            f"{path} cannot be written: {error.strerror or error}.", "Make room, or name another place."
        ) from None
    except BaseException:
        pending.abort()
        raise
