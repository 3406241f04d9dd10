"""What an event task looks at where nobody says."""

from pathlib import Path
from typing import Any

import polars as pl

import tallystick as ts
from tallystick import registry
from tallystick.jobs.windows_file import declared_windows

FRAUD = registry.solution("fraud")
FEW = {
    "amount",
    "customer_id__ratio_trimmed_amount__90d",
    "customer_id__count__14d__very_high",
    "terminal_id__risk__7d__ordinary",
}
LABELS = ("is_fraud", "label_known_at", "scenario")


def names_learned(source: pl.DataFrame, folder: Path, **options: Any) -> set[str]:
    """The features of an anomaly that was learned from these payments."""
    done = ts.train("fraud", source, model=folder, task=["anomaly"], **options).tasks[0].manifest
    return set(done["features"]["names"])


def test_an_anomaly_looks_at_few_columns_unless_told_more(frame: pl.DataFrame, tmp_path: Path) -> None:
    some = frame.head(3000)
    bare = some.drop(LABELS)
    assert names_learned(some, tmp_path) == FEW
    assert names_learned(bare, tmp_path) == FEW
    assert names_learned(bare, tmp_path, features=["hour", "amount"]) == {"hour", "amount"}
    own = tmp_path / "windows.yaml"
    own.write_text(
        "features:\n  - {entity: customer_id, windows: 1d, aggregates: [count]}\n"
        "  - {entity: customer_id, windows: 90d, aggregates: [ratio_trimmed amount]}\n"
    )
    assert {"hour", "customer_id__count__1d"} < names_learned(bare, tmp_path, windows=own)


def test_an_anomaly_of_payments_without_a_card_looks_at_all(frame: pl.DataFrame, tmp_path: Path) -> None:
    nobody = frame.head(3000).drop(*LABELS, "customer_id")
    assert {"amount", "hour", "weekend", "terminal_id__count__7d"} <= names_learned(nobody, tmp_path)


def test_the_usual_features_of_a_task_are_there() -> None:
    held = {column.name for column in FRAUD.contract.columns} | {"known_fraud"}
    windows = declared_windows(FRAUD, None, held)
    assert windows is not None
    task = FRAUD.task("anomaly")
    assert set(task.default_features) - set(task.columns) <= set(windows.names)
