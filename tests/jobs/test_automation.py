"""What is decided without a person, from train to score: in each class, and not from few letters."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.app import run
from tallystick.models import load


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Letters of which every second of one class has another label, and a model of them."""
    folder = tmp_path_factory.mktemp("noisy")
    ts.simulate("complaints", rows=3_000, output=folder / "plain.csv", seed=4)
    frame = pl.read_csv(folder / "plain.csv", infer_schema=False).with_row_index()
    odd = (pl.col("product") == "Mortgage") & (pl.col("index") % 2 == 0)
    frame.with_columns(product=pl.when(odd).then(pl.lit("Student loan")).otherwise("product")).drop(
        "index"
    ).write_csv(folder / "letters.csv")
    ts.train("complaints", folder / "letters.csv", model=folder / "model", learner="naive_bayes")
    return folder / "letters.csv", folder / "model"


def test_a_class_that_cannot_be_right_often_enough_goes_to_people(
    noisy: tuple[Path, Path], tmp_path: Path
) -> None:
    letters, model = noisy
    chosen = load(model / "product").manifest["figures"]["threshold"]
    assert chosen["held_out"]
    own = {one["class"]: one for one in chosen["per_class"]}
    assert own["Mortgage"]["threshold"] is None
    assert chosen["accepted"] > 300
    low, high = chosen["interval"]
    assert low < chosen["accuracy"] < high
    assert chosen["accuracy"] > 0.94
    assert sum(band["rows"] for band in chosen["by_size"]) == chosen["rows"]
    ts.score("complaints", letters, model=model, output=tmp_path / "d.parquet")
    decisions = pl.read_parquet(tmp_path / "d.parquet")
    automatic = decisions.filter(pl.col("action") == "auto")
    assert "Mortgage" in decisions["label"].to_list()
    assert "Mortgage" not in automatic["label"].to_list()
    assert len(automatic) > 300


def test_evaluate_shows_what_train_promised(noisy: tuple[Path, Path]) -> None:
    letters, model = noisy
    kept = load(model / "product").manifest["figures"]["threshold"]
    assert ts.evaluate("complaints", letters, model=model).reports["product"]["threshold"] == kept


def test_the_wish_can_be_for_each_class(noisy: tuple[Path, Path]) -> None:
    letters, model = noisy
    usual, strict = (
        ts.evaluate("complaints", letters, model=model, set={"accuracy": 0.97, "accuracy_by": by}).reports[
            "product"
        ]
        for by in ("all", "class")
    )
    for name, report in (("all", usual), ("class", strict)):
        for one in report["threshold"]["per_class"]:
            if one["accepted"] >= 100:
                assert one["accuracy"] >= (0.88 if name == "all" else 0.95), one
    assert strict["threshold"]["accepted"] <= usual["threshold"]["accepted"]


def test_forty_letters_promise_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letters = tmp_path / "letters.csv"
    said = {
        "Mortgage": "the house and its mortgage servicer lost payment",
        "Credit card": "my card was charged twice",
    }
    words = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
    ]
    rows = [
        {
            "complaint_id": str(number),
            "product": product,
            "narrative": " ".join(
                [said[product], words[number % 14], words[number // 14], words[(number * 5) % 13]]
            ),
        }
        for number in range(40)
        for product in [list(said)[number % 2]]
    ]
    rows.append({"complaint_id": "41", "product": "Prepaid card", "narrative": "a gift voucher was empty"})
    pl.DataFrame(rows).write_csv(letters)
    assert (
        run(["train", "complaints", str(letters), "--model", str(tmp_path / "m"), "--task", "product"]) == 0
    )
    shown = " ".join(capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ").split())
    assert "Prepaid card (1)" in shown
    assert "a person looks at each of them" in shown
    figures = load(tmp_path / "m" / "product").manifest["figures"]
    assert figures["accuracy"] > 0.9
    assert figures["intervals"]["accuracy"][0] < 0.95
    assert figures["threshold"]["accepted"] == 0
    ts.score("complaints", letters, model=tmp_path / "m", output=tmp_path / "d.parquet")
    assert set(pl.read_parquet(tmp_path / "d.parquet")["action"]) == {"review"}
