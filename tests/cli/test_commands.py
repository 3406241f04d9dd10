"""The command line as its users meet it: processes, exit codes, what is on stdout and what is on stderr."""

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.main import get_command

import tallystick as ts
from tallystick.cli import app

VERBS = ("demo", "simulate", "validate", "train", "evaluate", "score", "stream")


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process."""
    return subprocess.run(
        [sys.executable, "-m", "tallystick", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "110", **environment},
        check=False,
    )


def small(path: Path) -> Path:
    path.write_text(
        "id,date,complaint_text,category\n1,2024-01-01,my loan,Mortgage\n2,never,a card,Credit card\n"
    )
    return path


def test_json_is_one_document_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    done = run("validate", "complaints", small(tmp_path / "a.csv"), "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert (document["rows_in"], document["rows_clean"], document["rows_quarantined"]) == (2, 1, 1)
    assert document["reasons"] == {"bad_time": 1}


def test_the_account_is_shown(tmp_path: Path) -> None:
    done = run("validate", "complaints", small(tmp_path / "a.csv"))
    assert "2 rows in = 1 clean + 1 in quarantine + 0 duplicate" in done.stdout
    assert "bad_time" in done.stdout


def test_quiet_is_quiet(tmp_path: Path) -> None:
    done = run("validate", "complaints", small(tmp_path / "a.csv"), "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("validate", "complaint", "A"), 2, 'no solution "complaint"'),
        (("validate", "complaints", "nowhere.csv"), 2, "is not there"),
        (("validate", "complaints", "A", "--set", "zone=Nowhere"), 2, "no time zone"),
        (("validate", "complaints", "A", "--set", "zone"), 2, "NAME=VALUE"),
        (("validate", "complaints", "A", "--as-of", "soon"), 2, "as-of"),
        (("validate", "complaints", "A", "--engine", "spork"), 2, 'no engine "spork"'),
        (("validate", "complaints", "A", "--map", "x=narrative"), 2, 'no column "x"'),
        (("validate", "complaints", "A", "--strict"), 3, "--strict allows none"),
        (("validate", "complaints", "A", "--max-quarantine", "1%"), 3, "in quarantine"),
        (("validate", "complaints", "A", "--max-quarantine", "lots"), 2, "no share"),
        (("validate", "complaints", "EMPTY"), 3, "EMPTY"),
        (("train", "complaints", "A", "--model", "M", "--learner", "magic"), 2, 'no learner "magic"'),
        (("train", "complaints", "A", "--model", "M"), 3, "nothing to tell apart"),
        (
            ("train", "complaints", "A", "--model", "M", "--features", "company_response"),
            2,
            "only after the event",
        ),
        (("evaluate", "complaints", "A", "--model", "M", "--split", "fancy"), 2, 'no split "fancy"'),
        (("score", "complaints", "A", "--model", "M", "--output", "o.csv"), 2, "no model"),
        (("score", "complaints", "A", "--model", "M", "--output", "o.xyz"), 2, "o.xyz"),
        (("simulate", "complaints", "--rows", "0", "--output", "s.csv"), 2, "at least one"),
        (("simulate", "complaints", "--rows", "5", "--output", "s.csv", "--preset", "odd"), 2, "odd"),
        (("score", "complaints", "A"), 2, "--model"),
        (("fly",), 2, "fly"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_errors_have_their_exit_code_and_no_stack_trace(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path
) -> None:
    paths = {"A": small(tmp_path / "A.csv"), "EMPTY": tmp_path / "EMPTY.csv", "M": tmp_path / "M"}
    paths["EMPTY"].write_text("")
    given = [str(paths.get(a, tmp_path / a if a.endswith((".csv", ".xyz")) else a)) for a in arguments]
    done = run(*given)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_whole_way_as_a_user_goes_it(records: Path, tmp_path: Path) -> None:
    model, page, out = tmp_path / "model", tmp_path / "report.html", tmp_path / "decisions.csv"
    trained = run("train", "complaints", records, "--model", model, "--learner", "naive_bayes", "--json")
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["tasks"]["product"]["learner"]["name"] == "naive_bayes"
    assert (model / "product" / "card.md").read_text().startswith("# complaints: product")
    evaluated = run("evaluate", "complaints", records, "--model", model, "--report", page, "--json")
    figures = json.loads(evaluated.stdout)["tasks"]["product"]
    assert figures["accuracy"] > 0.5
    assert {"roc_auc", "average_precision", "log_loss", "brier", "ece", "f1_weighted", "rows"} <= set(figures)
    assert page.read_text().startswith("<!doctype html>")
    scored = run("score", "complaints", records, "--model", model, "--output", out)
    assert scored.returncode == 0, scored.stderr
    assert "1,200 decisions" in scored.stdout
    header = out.read_text().splitlines()[0]
    assert header == "id,event_time,task,label,score,action,route,reasons,model,sequence,late"


def test_standard_input_is_an_input(records: Path, model: Path, tmp_path: Path) -> None:
    text = records.read_bytes()
    direct, piped = tmp_path / "direct.jsonl", tmp_path / "piped.jsonl"
    run("score", "complaints", records, "--model", model, "--output", direct)
    command = [
        sys.executable,
        "-m",
        "tallystick",
        "score",
        "complaints",
        "-",
        "--model",
        model,
        "--output",
        piped,
    ]
    # Twice the same records: the second copies are duplicates, found although stdin cannot be read twice.
    body = text[text.index(b"\n") + 1 :]
    done = subprocess.run(command, input=text + body, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert piped.read_bytes() == direct.read_bytes()
    assert len(Path(f"{piped}.duplicates.jsonl").read_text().splitlines()) == 1200


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_being_stopped_leaves_nothing_half_written(sent: signal.Signals, tmp_path: Path) -> None:
    output = tmp_path / "many.csv"
    command = [
        sys.executable,
        "-m",
        "tallystick",
        "simulate",
        "complaints",
        "--rows",
        "50000000",
        "--output",
        output,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(tmp_path.iterdir()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()), "it had begun to write"
    process.send_signal(sent)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Nothing half-written was left behind" in err
    assert list(tmp_path.iterdir()) == []


def test_config_shows_where_a_value_came_from() -> None:
    done = run("config", "--json", TALLYSTICK_SEED="42")
    seed = json.loads(done.stdout)["settings"]["seed"]
    assert (seed["value"], seed["origin"]) == (42, "TALLYSTICK_SEED")


def test_version() -> None:
    assert run("--version").stdout.strip() == f"tallystick {ts.__version__}"


def test_the_log_can_be_json(tmp_path: Path) -> None:
    done = run(
        "validate",
        "complaints",
        small(tmp_path / "a.csv"),
        "--set",
        "log_format=json",
        TALLYSTICK_LOG_LEVEL="debug",
    )
    assert done.returncode == 0
    for line in done.stderr.splitlines():
        if line.startswith("{"):
            assert {"time", "level", "logger", "message"} <= set(json.loads(line))


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_has_its_argument_and_the_other_way_round(verb: str) -> None:
    """What only a terminal needs (--json, --quiet) has no argument; what shows progress no option."""
    from tallystick.jobs.options import Common, Reading

    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    options = {p.name.rstrip("_") for p in command.params} - {"json", "quiet", "help"}
    signature = inspect.signature(getattr(ts, verb)).parameters
    arguments = {name.rstrip("_") for name, p in signature.items() if p.kind is not p.VAR_KEYWORD}
    kind = Reading if verb in ("validate", "train", "evaluate", "score", "stream") else Common
    arguments |= set(kind.__annotations__) | set(Common.__annotations__)
    assert options == arguments - {"progress", "show", "say"}


@pytest.mark.parametrize("verb", [*VERBS, "config"])
def test_every_verb_and_option_says_what_it_is_for(verb: str) -> None:
    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    assert command.help
    assert all(getattr(p, "help", None) for p in command.params if p.name != "help"), verb
