"""A file that is something else than its name says is refused with what it is and what to do."""

import gzip
import pickle
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.errors import DataError, UsageError

CSV = b"complaint_id,narrative\n1,my loan\n"


def workbook(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/workbook.xml", "<workbook/>")
    return path.read_bytes()


def database(path: Path) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a)")
    return path.read_bytes()


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".json"])
def test_bytes_that_are_no_text_are_told_apart(ending: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"complaint_id": ["1"]})
    frame.write_parquet(tmp_path / "p")
    frame.write_ipc(tmp_path / "i")
    with zipfile.ZipFile(tmp_path / "z", "w") as file:
        file.writestr("a.csv", CSV)
    cases = {
        "an Excel workbook": (workbook(tmp_path / "x"), "Save each sheet as CSV"),
        "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Save each sheet as CSV"),
        "a ZIP archive": ((tmp_path / "z").read_bytes(), "Call it .zip"),
        r"packed \(.gz\)": (gzip.compress(CSV), f"Call it a{ending}.gz"),
        "Parquet": ((tmp_path / "p").read_bytes(), "Call it .parquet"),
        "an Arrow": ((tmp_path / "i").read_bytes(), "Write it as Parquet"),
        "a SQLite database": (database(tmp_path / "d"), "sqlite:///"),
        "a PDF": (b"%PDF-1.7\n", "as CSV"),
        "a pickle": (pickle.dumps(["x" * 20]), "may run code"),
        "a web page": (b"\n<!DOCTYPE html><html>", "fetch the file again"),
        "XML": (b"\xef\xbb\xbf<?xml version='1.0'?><Document/>", "JSON lines or CSV"),
    }
    for what, (data, hint) in cases.items():
        path = tmp_path / f"a{ending}"
        path.write_bytes(data)
        with pytest.raises(DataError, match=f"a{ending} is {what}") as refused:
            ts.validate("complaints", path)
        assert hint in refused.value.hint


@pytest.mark.parametrize(("ending", "tool"), [(".gz", "gzip"), (".zst", "zstd")])
def test_plain_text_with_the_name_of_packed_text(ending: str, tool: str, tmp_path: Path) -> None:
    (tmp_path / f"a.csv{ending}").write_bytes(CSV)
    with pytest.raises(DataError, match=f"is not packed by {tool}") as refused:
        ts.validate("complaints", tmp_path / f"a.csv{ending}")
    assert refused.value.hint == "Call it a.csv."


def test_among_others_it_is_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    workbook(tmp_path / "b.csv")
    report = ts.validate("complaints", tmp_path).input_report
    assert (report.rows_clean, report.reasons) == (1, {"broken_file": 1})


@pytest.mark.parametrize(
    ("name", "hint"),
    [("a.xlsx", "Save each sheet as CSV"), ("a.XLS", "Save each sheet"), ("a.pkl", "may run code"),
     ("a.txt", "may be called .csv"), ("a.xml", "JSON lines"), ("a.feather", "Parquet")],
)  # fmt: skip
def test_known_endings_that_are_not_read_say_what_to_do(name: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match="is not read") as refused:
        ts.validate("complaints", tmp_path / name)
    assert hint in refused.value.hint


def test_an_empty_list_has_no_record(tmp_path: Path) -> None:
    for name, text in (
        ("a.json", "[]"),
        ("b.json", '{"data": [], "meta": {"view": {"columns": [{"name": "a"}]}}}'),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match="has no record"):
            ts.validate("complaints", tmp_path / name)
