import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError, UsageError
from tallystick.models import load


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_same_data_and_seed_give_the_same_bundle(records: Path, model: Path, tmp_path: Path) -> None:
    ts.train("complaints", records, model=tmp_path / "again", set={"threads": 1, "batch_rows": 77})
    assert files(tmp_path / "again") == files(model)


def test_a_bundle_says_what_it_is(model: Path, records: Path) -> None:
    manifest = load(model / "product").manifest
    assert manifest["training"]["rows"] + sum(manifest["training"]["left_out"].values()) == 1200
    assert manifest["contract"]["name"] == "complaints"
    assert len(manifest["contract"]["fingerprint"]) == 64
    assert manifest["classes"] == sorted(manifest["classes"])
    assert manifest["training"]["from"] < manifest["training"]["until"]
    assert {"numpy", "numba", "pyarrow", "scikit-learn", "tallystick"} <= set(manifest["libraries"])
    assert not any(p.suffix in (".pkl", ".joblib") for p in (model / "product").rglob("*"))
    card = (model / "product" / "card.md").read_text()
    assert "## Not for" in card
    assert "| Mortgage |" in card


def test_other_data_gives_another_name(records: Path, model: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(records, infer_schema=False)
    ts.train("complaints", frame.head(900), model=tmp_path, learner="naive_bayes")
    names = {load(folder / "product").name for folder in (model, tmp_path)}
    assert len(names) == 2


def test_rows_it_was_learned_from_get_their_out_of_fold_score(records: Path, model: Path) -> None:
    kept = load(model / "product").manifest["figures"]
    report = ts.evaluate("complaints", records, model=model).reports["product"]
    for name in ("rows", "accuracy", "f1_macro", "log_loss", "ece"):
        assert report[name] == kept[name], name
    assert "rows new to it" not in report["split"]


def test_new_rows_are_scored_as_production_scores_them(model: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.csv"
    ts.simulate("complaints", rows=400, output=fresh, seed=99)
    report = ts.evaluate("complaints", fresh, model=model).reports["product"]
    ts.score("complaints", fresh, model=model, output=tmp_path / "d.parquet")
    decisions = pl.read_parquet(tmp_path / "d.parquet")
    truth = pl.read_csv(fresh, infer_schema=False)
    both = decisions.join(truth, left_on="id", right_on="complaint_id").filter(pl.col("label").is_not_null())
    right = (both["label"] == both["product"]).mean()
    assert int(report["split"]["rows new to it"].replace(",", "")) > 300
    assert report["accuracy"] == pytest.approx(right, abs=0.05)


def test_evaluation_of_a_class_that_the_model_does_not_know(records: Path, model: Path) -> None:
    frame = pl.read_csv(records, infer_schema=False).head(200)
    odd = frame.with_columns(
        product=pl.when(pl.col("product") == "Mortgage").then(pl.lit("Castle")).otherwise("product")
    )
    report = ts.evaluate("complaints", odd, model=model).reports["product"]
    (castle,) = [row for row in report["per_class"] if row["class"] == "Castle"]
    assert castle["support"] > 0
    assert castle["recall"] == 0.0


@pytest.mark.parametrize("split", ["random", "stratified", "grouped", "time"])
def test_a_split_fits_anew(split: str, records: Path, tmp_path: Path) -> None:
    ts.train("complaints", records, model=tmp_path, learner="naive_bayes")
    report = ts.evaluate("complaints", records, model=tmp_path, split=split).reports["product"]
    assert report["split"]["kind"] == split
    assert 0.4 < report["accuracy"] < 1
    if split == "time":
        assert report["rows"] < 400


def test_rows_outside_the_time_span_or_not_known_yet_are_passed_over(records: Path, tmp_path: Path) -> None:
    options = {"from_": "2024-03-01", "until": "2025-06-01", "as_of": "2025-04-30"}
    result = ts.train("complaints", records, model=tmp_path, learner="naive_bayes", **options)
    training = result.tasks[0].manifest["training"]
    assert training["from"] >= "2024-03-01"
    assert training["until"] < "2025-05-01"
    assert training["left_out"]["before the time span"] > 0
    assert training["left_out"]["after the time span"] > 0
    assert training["left_out"]["not known yet"] > 0
    assert result.input_report.rows_quarantined == 0
    assert training["rows"] + sum(training["left_out"].values()) == 1200


def test_what_is_known_only_after_the_event_is_refused_as_a_feature(records: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known only after the event"):
        ts.train("complaints", records, model=tmp_path, features=["Company response to consumer"])
    with pytest.raises(UsageError, match="product cannot use state as a feature"):
        ts.train("complaints", records, model=tmp_path, features=["state"])


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("narrative,product\nmy loan,Mortgage\nmy house,Mortgage\n")
    with pytest.raises(DataError, match="one class"):
        ts.train("complaints", path, model=tmp_path / "m")
    path.write_text("narrative,state\nmy loan,NY\n")
    with pytest.raises(DataError, match="product"):
        ts.train("complaints", path, model=tmp_path / "m")
    path.write_text("product,state\nMortgage,NY\n")
    with pytest.raises(DataError, match="narrative"):
        ts.train("complaints", path, model=tmp_path / "m")
    few = "narrative,product\n" + "".join(
        f"letter number {i},{'Mortgage' if i % 2 else 'Card'}\n" for i in range(3)
    )
    path.write_text(few)
    with pytest.raises(DataError, match="5 folds need at least 5 rows"):
        ts.train("complaints", path, model=tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_the_demo_ends_with_a_report(tmp_path: Path) -> None:
    result = ts.demo("complaints", dir=tmp_path / "demo", input=_some(tmp_path))
    assert (tmp_path / "demo" / "report.html").is_file()
    assert len((tmp_path / "demo" / "decisions.jsonl").read_text().splitlines()) == result.scored.decisions
    assert result.examples
    json.dumps(result.to_dict(), allow_nan=False)


def _some(folder: Path) -> Path:
    ts.simulate("complaints", rows=500, output=folder / "mine.parquet", seed=3)
    return folder / "mine.parquet"


def test_rows_without_a_time_are_of_no_time_span(records: Path, model: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(records, infer_schema=False).head(600)
    undated = frame.with_columns(
        received_at=pl.when(pl.int_range(600) % 3 == 0).then(None).otherwise("received_at")
    )
    report = ts.evaluate("complaints", undated, model=model, until="2030-01-01").reports["product"]
    assert report["left_out"]["no time"] == 200
    ts.train("complaints", undated, model=tmp_path, learner="naive_bayes")
    split = ts.evaluate("complaints", undated, model=tmp_path, split="time").reports["product"]["split"]
    assert int(split["without a time, left out"]) > 150


def test_a_class_that_one_fold_alone_holds_is_said(tmp_path: Path) -> None:
    same = "They took my house although I paid every month on time"
    rows = {"narrative": [same] * 3 + [f"letter number {i} about card fees" for i in range(40)]}
    frame = pl.DataFrame(rows | {"product": ["Mortgage"] * 3 + ["Credit card"] * 40})
    with pytest.raises(DataError, match='only "Credit card" is left'):
        ts.train("complaints", frame, model=tmp_path / "m")


def test_a_model_that_cannot_be_written_is_said_before_the_work(records: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="No model can be written"):
        ts.train("complaints", tmp_path / "nowhere.csv", model=tmp_path / "file" / "m")


def test_evaluation_anew_uses_the_settings_that_the_bundle_was_learned_with(model: Path) -> None:
    said = load(model / "product").manifest["learner"]
    assert said["settings"] == {"C": 0.21, "balance": 0.5, "tol": 0.01}
    assert load(model / "product").manifest["calibration"]["prior_correction"] == 0.12


def test_a_time_span_that_ends_before_it_begins_is_refused(records: Path, model: Path) -> None:
    with pytest.raises(UsageError, match="no time span"):
        ts.evaluate("complaints", records, model=model, from_="2025-01-01", until="2024-01-01")
