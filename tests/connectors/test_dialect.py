"""Text whose values stand in apostrophes, whose quotes have backslashes, or that has no header."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tallystick as ts
from tallystick.config import Settings
from tallystick.connectors import encoding, open_source
from tallystick.connectors.csv_careful import next_record
from tallystick.connectors.dialect import Dialect
from tallystick.errors import DataError, UsageError

BACKSLASH = Settings(escape="backslash")


def read(path: Path, settings: Settings) -> list[list[str]]:
    return [
        list(row.values()) for chunk in open_source(path, settings).chunks() for row in chunk.rows.to_pylist()
    ]


cells = st.text(st.sampled_from("ab \"'\\,\n;é"), max_size=6)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=5), st.sampled_from("\"'"))
def test_what_python_writes_is_read_back(table: list[list[str]], quote: str) -> None:
    for doubled in (True, False):
        if not doubled and quote == "'":
            continue
        text = io.StringIO()
        writer = csv.writer(
            text, quotechar=quote, doublequote=doubled, escapechar=None if doubled else "\\",
            quoting=csv.QUOTE_ALL, lineterminator="\n",
        )  # fmt: skip
        writer.writerows(table)
        dialect = Dialect(b",", quote.encode(), not doubled)
        buffer, at, found = text.getvalue().encode(), 0, []
        while at < len(buffer):
            record = next_record(buffer, at, dialect, last=True)
            assert record is not None
            assert not record.code
            found.append([field.decode() for field in record.fields])
            at = record.end
        assert found == table


def test_backslashes_before_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'id,text\n1,"they said \\"no\\", then yes"\n2,"a\\\\b"\n3,plain\n'
        '4,"over\nlines \\"x\\""\n5,"ends \\\\"\n'
    )
    rows = [
        ["1", 'they said "no", then yes'], ["2", "a\\b"], ["3", "plain"], ["4", 'over\nlines "x"'],
        ["5", "ends \\"],
    ]  # fmt: skip
    assert read(path, BACKSLASH) == rows
    monkeypatch.setattr(encoding, "BLOCK", 16)
    assert read(path, BACKSLASH) == rows


def test_they_are_never_half_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        'complaint_id,narrative\n1,"they said \\"no\\" then yes"\n2,"he said \\"no\\", so"\n3,"fine, C:\\"\n'
    )
    report = ts.validate("complaints", path, quarantine=tmp_path / "bad.jsonl").input_report
    assert (report.rows_clean, report.reasons) == (1, {"escaped_quote": 2})
    assert "--set escape=backslash" in (tmp_path / "bad.jsonl").read_text()


def test_values_in_apostrophes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = "".join(f"{i},'C{i}','es_travel, \"far\"','o''clock'\n" for i in range(3))
    path.write_text("step,customer,category,note\n" + lines)
    assert read(path, Settings(quote="'"))[0] == ["0", "C0", 'es_travel, "far"', "o'clock"]
    lines = "".join(f"{i},'C{i}','M',4.55,0\n" for i in range(5))
    path.write_text("step,customer,merchant,amount,fraud\n" + lines)
    report = ts.validate("fraud", path).input_report
    assert 'a.csv: values stand in apostrophes, which --set quote="\'" takes off' in report.notes
    assert not any(
        "apostrophes" in n for n in ts.validate("fraud", path, set={"quote": "'"}).input_report.notes
    )
    with pytest.raises(UsageError, match="quote"):
        ts.validate("fraud", path, set={"quote": "x"})


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_without_a_header(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", block)
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{i};2024-01-0{i};9.50\n" for i in range(1, 8)))
    with pytest.raises(DataError, match="looks like a record") as refused:
        ts.validate("fraud", path)
    assert "--set header=no" in refused.value.hint
    options = {"set": {"header": "no"}, "map": {"column_1": "transaction_id", "column_3": "amount"}}
    report = ts.validate("fraud", path, output=tmp_path / "o.jsonl", **options).input_report
    assert report.rows_clean == 7
    assert '"transaction_id":"1"' in (tmp_path / "o.jsonl").read_text().splitlines()[0]
    assert read(path, Settings(header="no"))[6] == ["7", "2024-01-07", "9.50"]


def test_an_open_contract_takes_no_record_for_a_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "plugins"))
    path = tmp_path / "a.csv"
    path.write_text("1,20000,2,2,1\n2,120000,2,2,2\n")
    with pytest.raises(DataError, match=r"more than once|looks like a record"):
        ts.validate("credit", path)
    path.write_text("1,20000,2.5,7\n2,120000,2,2\n")
    with pytest.raises(DataError, match="looks like a record"):
        ts.validate("credit", path)
