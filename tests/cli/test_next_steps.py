"""What is proposed as the next command can be pasted as it stands."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tallystick.app import run
from tallystick.cli.show import carried, command
from tallystick.cli.terminal import Terminal
from tallystick.errors import DataError, UsageError
from tallystick.evaluation.splits import folds
from tallystick.jobs.pages import check_page

PATH = "my letters/:warning: [bold] it's a long name, longer than the line of a terminal " + "x" * 80 + ".csv"


def test_a_command_stands_whole_on_its_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Terminal().next_steps(command("train", "complaints", PATH, "--model", "MY MODEL"))
    title, line = capsys.readouterr().out.splitlines()
    assert title == "Next"
    assert shlex.split(line) == ["tallystick", "train", "complaints", PATH, "--model", "MY MODEL"]


def test_the_options_of_the_input_go_on() -> None:
    options = {
        "map": {"what happened?": "narrative", "nr": "complaint_id"},
        "set": {"zone": "UTC"},
        "labels": None,
    }
    parts = carried(options, "map", "labels", "set", "config")
    assert parts == ["--map", "what happened?=narrative", "--map", "nr=complaint_id", "--set", "zone=UTC"]


def test_a_mapping_is_in_the_next_command_unless_the_names_are_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    source, clean = tmp_path / "the letters.csv", tmp_path / "clean.csv"
    source.write_text("nr,what happened?\n1,They lied.\n")
    asked = [
        "validate",
        "complaints",
        str(source),
        "--map",
        "what happened?=narrative",
        "--map",
        "nr=complaint_id",
    ]
    assert run(asked) == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert words == [
        *("tallystick", "train", "complaints", str(source), "--map", "what happened?=narrative"),
        *("--map", "nr=complaint_id", "--model", "model"),
    ]
    assert run([*asked, "--output", str(clean)]) == 0
    words = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert words == ["tallystick", "train", "complaints", str(clean), "--model", "model"]


def test_a_quarantine_is_not_asked_for_when_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, bad = tmp_path / "a.csv", tmp_path / "bad.jsonl"
    source.write_text("complaint_id,narrative,received_at\n1,a,never\n")
    assert run(["validate", "complaints", str(source), "--quarantine", str(bad)]) == 3
    error = " ".join(capsys.readouterr().err.split())
    assert "The bad rows are in" in error
    assert "--quarantine" not in error
    assert run(["validate", "complaints", str(source)]) == 3
    assert "--quarantine BAD.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["r.pdf", "report", "report.html.gz"])
def test_a_report_is_a_page(name: str) -> None:
    with pytest.raises(UsageError, match="a report is an HTML page"):
        check_page(name, "letters.csv")


@pytest.mark.parametrize("kind", ["random", "grouped", "time"])
def test_too_few_rows_for_folds_propose_only_what_exists(kind: str) -> None:
    rows = {"random": 2}.get(kind, 6)
    with pytest.raises(DataError) as caught:
        folds(kind, 5, rows=rows, groups=[1] * 6, time=[1] * 6) if kind != "random" else folds(
            kind, 5, rows=2
        )
    assert "fewer folds" not in caught.value.hint
