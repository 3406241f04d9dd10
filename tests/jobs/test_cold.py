"""A model that is learned with less history than its windows look back says so."""

from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.app import run
from tallystick.models import load


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cold") / "payments.parquet"
    ts.simulate("fraud", rows=3_000, preset="handbook", output=path, seed=2)
    return path


WINDOWS = "features:\n  - {entity: customer_id, windows: [%s], aggregates: [count, mean amount]}\n"


@pytest.mark.parametrize(("window", "cold"), [("1d", False), ("300d", True)])
def test_train_and_the_card_say_when_history_is_short(
    window: str, cold: bool, payments: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = tmp_path / "windows.yaml"
    declared.write_text(WINDOWS % window)
    asked = ["train", "fraud", str(payments), "--model", str(tmp_path / "m"), "--windows", str(declared)]
    assert run([*asked, "--task", "fraud", "--learner", "logistic_regression"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert ("Learned cold" in shown) is cold
    assert ("learned cold" in (tmp_path / "m" / "fraud" / "card.md").read_text()) is cold
    history = load(tmp_path / "m" / "fraud").manifest["training"]["history"]
    assert (history["days"] < history["window_days"]) is cold


def test_history_before_the_input_warms(payments: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(payments).sort("event_time")
    declared = tmp_path / "windows.yaml"
    declared.write_text(WINDOWS % "20d")
    found = []
    for history in (None, frame.head(1_000)):
        ts.train(
            "fraud", frame.tail(2_000), model=tmp_path / "m", task=["fraud"], windows=declared,
            history=history, learner="logistic_regression",
        )  # fmt: skip
        found.append(load(tmp_path / "m" / "fraud").manifest["training"]["history"]["days"])
    assert found[1] >= found[0]
    assert found[1] == 20.0
