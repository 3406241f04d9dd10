"""The report on rows that a model decided: the same for training, which keeps its figures, and evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.evaluation import classification_report
from tallystick.jobs.labelled import Rows
from tallystick.jobs.options import Work
from tallystick.models import Decided
from tallystick.scorer import Abstention, ClassTask, aim

__all__ = ["report_on"]


def report_on(
    task: ClassTask,
    rows: Rows,
    decided: Decided,
    abstention: Abstention,
    job: Work,
    split: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Report on decided rows: what `classification_report` says, at the threshold that was chosen."""
    job.progress.stage(f"Measuring {task.name}")
    wanted = aim(job.settings)
    return classification_report(
        task.name,
        rows.truth,
        decided.chance,
        rows.classes,
        predicted=decided.label,
        threshold=abstention.threshold,
        accuracy=wanted.get("accuracy"),
        automation=wanted.get("automation"),
        groups=rows.groups,
        split=split,
        seed=job.settings.seed,
    )
