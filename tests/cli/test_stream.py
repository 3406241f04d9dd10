"""The command as people meet it: a real process, its words, its exit codes, its signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tallystick as ts

COMMAND = (sys.executable, "-m", "tallystick", "stream", "complaints")


def start(*arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


def run(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, **more
    )


def test_it_says_what_it_did_and_nothing_of_a_letter(records: Path, model: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "out.jsonl", f"sqlite:///{tmp_path / 'state.db'}"
    where = ("--model", model, "--state", state, "--sink", out)
    done = run("--source", records, *where, "--until-idle", "--report", tmp_path / "stream.html")
    assert done.returncode == 0, done.stderr
    assert "1,200 records in = 1,200 scored + 0 in quarantine + 0 duplicate" in done.stdout
    assert "half within" in done.stdout
    assert len(out.read_text().splitlines()) == 1200
    letters = [row["narrative"] for row in _rows(records)][:50]
    page = (tmp_path / "stream.html").read_text()
    assert not [one for one in letters if one and (one in done.stdout + done.stderr or one in page)]
    again = run("--source", records, *where, "--until-idle", "--json")
    document = json.loads(again.stdout)
    assert (document["events"], document["entry"] > 0) == (0, True)


def _rows(path: Path) -> list[dict[str, Any]]:
    import polars as pl

    return pl.read_csv(path, infer_schema=False).to_dicts()


def test_standard_input_to_standard_output(records: Path, model: Path, tmp_path: Path) -> None:
    text = records.read_text()
    state = f"sqlite:///{tmp_path / 'state.db'}"
    done = run("--source", "-", "--sink", "-", "--model", model, "--state", state, "--quiet", input=text)
    assert done.returncode == 0, done.stderr
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 1200
    refused = run("--source", "-", "--sink", "-", "--model", model, "--state", state, "--json", input=text)
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_gracefully(records: Path, model: Path, tmp_path: Path, number: int) -> None:
    out, state = tmp_path / "out.jsonl", f"sqlite:///{tmp_path / 'state.db'}"
    process = start("--source", records, "--rate", "60", "--sink", out, "--model", model, "--state", state)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (out.exists() and out.stat().st_size):
            time.sleep(0.05)
        process.send_signal(number)
        said, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, told
    decided = len(out.read_text().splitlines())
    assert 0 < decided < 1200
    assert f"{decided:,} records in" in said


def test_a_second_process_on_one_state_is_refused_in_one_sentence(
    records: Path, model: Path, tmp_path: Path
) -> None:
    out, state = tmp_path / "out.jsonl", f"sqlite:///{tmp_path / 'state.db'}"
    where = ("--model", model, "--state", state)
    first = start("--source", records, "--rate", "100", "--sink", out, *where)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and not (out.exists() and out.stat().st_size):
            time.sleep(0.05)
        second = run("--source", records, "--sink", tmp_path / "b.jsonl", *where, "--until-idle")
        assert second.returncode == 1
        assert "Traceback" not in second.stderr
        assert str(first.pid) in second.stderr
    finally:
        first.kill()
        first.communicate()
    after = run("--source", records, "--rate", "100000", "--sink", out, *where)  # it was killed: free at once
    assert after.returncode == 0, after.stderr
    keys = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert len(keys) == len(set(keys)) == 1200


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--source", "nowhere.jsonl"), 2, "nowhere.jsonl"),
        (("--source", "kafak://a/b"), 2, "kafka"),
        (("--source", "records.csv", "--notify", "nobody.yaml"), 2, "nobody.yaml"),
        (("--source", "records.csv", "--labels", "labels.csv"), 2, "labels"),
        (("--source", "records.csv", "--metrics", "here"), 2, "port"),
        (("--source", "records.csv", "--rate", "-1"), 2, "rate"),
        (("--source", "records.csv", "--state", "file.db"), 2, "sqlite:///"),
    ],
)
def test_what_is_wrong_is_said_without_a_stack_trace(
    arguments: tuple[str, ...], code: int, words: str, records: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "records.csv").write_bytes(records.read_bytes()[:20_000])
    state = ("--state", f"sqlite:///{tmp_path / 'state.db'}")  # one that is named after it counts
    done = run(*state, *arguments, "--sink", "out.jsonl", "--model", model, "--until-idle", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert words in done.stderr


def test_the_python_verb_is_there() -> None:
    assert "stream" in ts.__all__
