"""The verbs on payments as their users meet them: one JSON document, exit codes, words instead of traces."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tallystick as ts
from tallystick.app import run

Said = tuple[int, str, str]
QUICK = ("--learner", "logistic_regression", "--set", "threads=1")


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 payments as CSV."""
    path = tmp_path_factory.mktemp("cli") / "payments.csv"
    ts.simulate("fraud", rows=1_500, output=path, seed=5)
    return path


@pytest.fixture(scope="module")
def model(payments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "model"
    ts.train("fraud", payments, model=folder, learner="logistic_regression", set={"threads": 1})
    return folder


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command line in this process: exit code, stdout, stderr with single spaces."""
    monkeypatch.setenv("COLUMNS", "300")

    def told(*arguments: str | Path) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err + out
        assert "should not happen" not in err
        return code, out, " ".join(err.split())

    return told


def document(said: Said) -> dict[str, Any]:
    """The one JSON document on stdout."""
    code, out, err = said
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_each_verb_writes_one_document(say: Callable[..., Said], payments: Path, tmp_path: Path) -> None:
    made = document(say("simulate", "fraud", "--rows", "50", "--output", tmp_path / "few.csv", "--json"))
    assert made["rows"] == 50
    checked = document(say("validate", "fraud", payments, "--json"))
    assert checked["rows_in"] == checked["rows_clean"] == 1_500
    featured = document(say("features", "fraud", payments, "--output", tmp_path / "f.parquet", "--json"))
    assert pl.read_parquet(tmp_path / "f.parquet").columns == ["id", "event_time", *featured["features"]]
    assert featured["rows"] == 1_500
    folder = tmp_path / "model"
    trained = document(say("train", "fraud", payments, "--model", folder, *QUICK, "--json"))
    assert set(trained["tasks"]) == {"fraud"}
    assert (folder / "fraud" / "card.md").read_text().startswith("# fraud: fraud")
    evaluated = document(say("evaluate", "fraud", payments, "--model", folder, "--json"))
    figures = evaluated["tasks"]["fraud"]
    assert {"rows", "accuracy", "roc_auc", "average_precision", "card_precision_at_100"} <= set(figures)
    out = tmp_path / "decisions.csv"
    scored = document(say("score", "fraud", payments, "--model", folder, "--output", out, "--json"))
    assert scored["decisions"] == 1_500 == sum(scored["actions"].values())
    header = "id,event_time,task,label,score,action,route,reasons,model,sequence,late"
    assert out.read_text().splitlines()[0] == header
    analysed = document(say("analyse", "fraud", payments, "--json"))
    assert "tables" in analysed or "analyses" in analysed
    for verb, words in (("train", "Thresholds"), ("evaluate", "Thresholds"), ("score", "1,500 decisions")):
        more = {"train": (*QUICK, "--model", tmp_path / "again"), "evaluate": ("--model", folder)}
        shown = say(verb, "fraud", payments, *more.get(verb, ("--model", folder, "--output", out)))
        assert shown[0] == 0
        assert words in shown[1]


def test_as_a_process_nothing_else_is_on_stdout(payments: Path, model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tallystick", "score", "fraud", payments, "--model", model, "--json"]
    done = subprocess.run(
        [*command, "--output", tmp_path / "d.jsonl", "--all-scores"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decisions"] == 1_500
    first = json.loads((tmp_path / "d.jsonl").read_text().splitlines()[0])
    assert first["scores"]["yes"] == first["score"]


def rules_file(path: Path, action: str = "review") -> Path:
    path.write_text(
        f"rules:\n  - name: all\n    when: amount > -1e9\n    action: {action}\n    reason: all of them\n"
    )
    return path


ERRORS = [
    (("score", "P", "--model", "M", "--output", "O", "--set", "review=often"), 2, 'no threshold by "often"'),
    (("score", "P", "--model", "M", "--output", "O", "--set", "decline=precision=2"), 2, "between 0 and 1"),
    (("evaluate", "P", "--model", "M", "--set", "review=alerts_per_day=-1"), 2, "0 or more"),
    (("train", "P", "--model", "N", "--set", "review=recall=lots", *QUICK), 2, "between 0 and 1"),
    (("score", "P", "--model", "M", "--output", "O", "--set", "review_cost=-1"), 2, "review_cost"),
    (("score", "P", "--model", "M", "--output", "O", "--rules", "BAD"), 2, "line 4"),
    (("evaluate", "P", "--model", "M", "--rules", "BAD"), 2, 'no action "stop"'),
    (("score", "P", "--model", "M", "--output", "O", "--rules", "NONE"), 2, "NONE"),
    (("train", "P", "--model", "N", "--learner", "naive_bayes"), 2, "do: anomaly_boosting, gradient"),
    (("train", "P", "--model", "N", "--features", "amount,scenario"), 2, "known only after the event"),
    (("train", "P", "--model", "N", "--features", "payer_balance_after"), 2, "known only after the event"),
    (("train", "P", "--model", "N", "--features", "is_fraud"), 2, "is_fraud"),
    (("train", "P", "--model", "N", "--features", "amont"), 2, 'Did you mean "amount"'),
    (("train", "P", "--model", "N", "--windows", "WINDOWS"), 2, "entry 2"),
    (("features", "P", "--output", "O", "--windows", "WINDOWS"), 2, "entry 2"),
    (("features", "P", "--output", "O", "--windows", "NONE"), 2, "NONE"),
    (("features", "P", "--output", "O", "--set", "label_delay=soon"), 2, "label_delay"),
    (("features", "P", "--output", "O", "--labels", "NONE"), 2, "is not there"),
    (("features", "P", "--output", "O", "--labels", "EMPTY"), 3, "The labels are refused"),
    (("features", "P", "--output", "O", "--history", "NONE"), 2, "is not there"),
    (("features", "P", "--output", "P"), 2, "the input itself"),
    (("train", "P", "--model", "N", "--task", "frauds"), 2, 'Did you mean "fraud"'),
    (("train", "P", "--model", "N", "--from", "2025-02-01", "--until", "2025-01-01"), 2, "no time span"),
    (("train", "P", "--model", "N", "--from", "2031-01-01", *QUICK), 3, "No row"),
    (("evaluate", "P", "--model", "M", "--split", "weekly"), 2, 'no split "weekly"'),
    (("evaluate", "P", "--model", "M", "--split", "handbook", "--from", "2031-01-01"), 2, "no whole week"),
    (("evaluate", "P", "--model", "NONE"), 2, "no model"),
    (("score", "EMPTY", "--model", "M", "--output", "O"), 3, "EMPTY"),
    (("validate", "P", "--map", "nothing=amount"), 2, 'no column "nothing"'),
    (("simulate", "--rows", "0", "--output", "O"), 2, "at least one"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "words"), ERRORS, ids=lambda v: " ".join(v) if isinstance(v, tuple) else ""
)
def test_errors_have_their_exit_code_and_say_what_to_do(
    arguments: tuple[str, ...], code: int, words: str,
    say: Callable[..., Said], payments: Path, model: Path, tmp_path: Path,
) -> None:  # fmt: skip
    paths = {
        "P": payments, "M": model, "O": tmp_path / "O.csv", "N": tmp_path / "N", "NONE": tmp_path / "NONE",
        "BAD": rules_file(tmp_path / "BAD.yaml", "stop"), "EMPTY": tmp_path / "EMPTY.csv",
        "WINDOWS": tmp_path / "windows.yaml",
    }  # fmt: skip
    paths["EMPTY"].write_text("")
    paths["WINDOWS"].write_text(
        "features:\n  - {entity: customer_id, windows: 1d, aggregates: [count]}\n"
        "  - {entity: customer_id, windows: 1d, aggregates: [most amount]}\n"
    )
    verb, *rest = arguments
    said = say(verb, "fraud", *(paths.get(one, one) for one in rest))
    assert (said[0], said[1]) == (code, ""), said
    assert words in said[2]
    assert not (tmp_path / "O.csv").exists()
    assert not (tmp_path / "N").exists()


def test_learners_of_tables_are_refused_for_texts(
    say: Callable[..., Said], records: Path, tmp_path: Path
) -> None:
    code, _, err = say(
        "train", "complaints", records, "--model", tmp_path / "m", "--learner", "isolation_forest"
    )
    assert code == 2
    assert "These do: complement_naive_bayes, linear_svm, logistic_regression, naive_bayes." in err


def test_an_anomaly_may_be_asked_for_where_labels_are(
    say: Callable[..., Said], payments: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    asked = ("--task", "anomaly", "--learner", "autoencoder", "--set", "threads=1", "--json")
    made = document(say("train", "fraud", payments, "--model", folder, *asked))
    assert set(made["tasks"]) == {"anomaly"}
    assert made["tasks"]["anomaly"]["figures"]["average_precision"] > 0
    found = document(say("evaluate", "fraud", payments, "--model", folder, "--json"))
    assert set(found["tasks"]) == {"anomaly"}


def test_thresholds_may_be_wished_for_when_scoring(
    say: Callable[..., Said], payments: Path, model: Path, tmp_path: Path
) -> None:
    counts = []
    for wish in ("review=alerts_per_day=1", "review=recall=.9", "review=score=0"):
        given = (payments, "--model", model, "--output", tmp_path / "d.csv", "--set", wish, "--json")
        counts.append(document(say("score", "fraud", *given))["actions"].get("accept", 0))
    assert counts[0] > counts[1] > counts[2] == 0
    kept = json.loads((model / "fraud" / "manifest.json").read_text())["policy"]
    wished = document(
        say("evaluate", "fraud", payments, "--model", model, "--set", "decline=score=.7", "--json")
    )
    declined = wished["tasks"]["fraud"]["thresholds"]["decline"]
    assert (declined["threshold"], declined["wanted"]) == (0.7, "score=0.7")
    assert kept["decline_wanted"] == "precision=0.9"


def test_rules_stand_beside_the_model(
    say: Callable[..., Said], payments: Path, model: Path, tmp_path: Path
) -> None:
    rules, out = rules_file(tmp_path / "rules.yaml"), tmp_path / "d.jsonl"
    tried = document(say("evaluate", "fraud", payments, "--model", model, "--rules", rules, "--json"))
    assert tried["tasks"]["fraud"]["rules"][0]["rule"] == "all"
    given = (payments, "--model", model, "--output", out, "--json")
    with_rules = document(say("score", "fraud", *given, "--rules", rules))
    by_setting = document(say("score", "fraud", *given, "--set", f"rules={rules}"))
    assert with_rules["actions"] == by_setting["actions"]
    assert "accept" not in with_rules["actions"]
    assert with_rules["rules"] == by_setting["rules"] is not None
    assert document(say("score", "fraud", *given))["actions"]["accept"] > 0


def test_windows_travel_with_the_model(say: Callable[..., Said], payments: Path, tmp_path: Path) -> None:
    """A model is scored under the windows it was trained with; two tasks trained under others are refused."""
    windows, folder = tmp_path / "w.yaml", tmp_path / "model"
    windows.write_text("features:\n  - {entity: customer_id, windows: 2d, aggregates: [count]}\n")
    given = ("train", "fraud", payments, "--model", folder, "--set", "threads=1", "--json")
    made = document(say(*given, "--windows", windows, "--learner", "logistic_regression"))
    assert "customer_id__count__2d" in made["tasks"]["fraud"]["features"]["names"]
    windows.unlink()
    out = ("--output", tmp_path / "d.csv")
    document(say("score", "fraud", payments, "--model", folder, *out, "--json"))
    document(say(*given, "--task", "anomaly", "--learner", "autoencoder"))
    code, _, err = say("score", "fraud", payments, "--model", folder, *out)
    assert code == 2
    assert "The tasks fraud, anomaly were trained with different windows. Name one of them: --task." in err
    document(say("score", "fraud", payments, "--model", folder, *out, "--task", "fraud", "--json"))


def test_history_and_labels_are_options_of_the_verbs(
    say: Callable[..., Said], payments: Path, model: Path, tmp_path: Path
) -> None:
    frame = pl.read_csv(payments, infer_schema_length=0)
    labels = frame.select("transaction_id", "is_fraud", "label_known_at")
    parts = {"before": frame[:1000], "after": frame[1000:], "labels": labels}
    for name, part in parts.items():
        keep = part if name == "labels" else part.drop("is_fraud", "label_known_at", "scenario")
        keep.write_csv(tmp_path / f"{name}.csv")
    out, whole = tmp_path / "part.csv", tmp_path / "whole.csv"
    document(say("score", "fraud", payments, "--model", model, "--output", whole, "--json"))
    more = ("--history", tmp_path / "before.csv", "--labels", tmp_path / "labels.csv")
    part = document(
        say("score", "fraud", tmp_path / "after.csv", "--model", model, "--output", out, *more, "--json")
    )
    assert part["rows_in"] == part["decisions"] == 500
    lines = whole.read_text().splitlines()
    assert out.read_text().splitlines() == [lines[0], *lines[1001:]]
    warm = document(say("evaluate", "fraud", tmp_path / "after.csv", "--model", model, *more, "--json"))
    assert warm["tasks"]["fraud"]["rows"] <= 500
    learned = document(
        say("train", "fraud", tmp_path / "after.csv", "--model", tmp_path / "m", *more, *QUICK, "--json")
    )
    assert learned["tasks"]["fraud"]["training"]["rows"] <= 500
