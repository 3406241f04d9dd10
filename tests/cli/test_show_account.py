"""The table of what is in quarantine names a column, a value, and the setting that would read it."""

from pathlib import Path

from typer.testing import CliRunner

import tallystick as ts
from tallystick.cli.commands import app

ROWS = """\
transaction_id,event_time,amount,currency
1,13/02/2024,5,USD
2,01/02/2024,"0,500",USD
3,01/02/2024,€5,USD
4,01/02/2024,5,USD
"""


def test_examples_say_what_would_read_a_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS)
    shown = (
        CliRunner().invoke(app, ["validate", "fraud", str(tmp_path / "a.csv")], env={"COLUMNS": "200"}).output
    )
    words = " ".join(shown.split())
    assert 'event_time "13/02/2024". With --set date_order=day-first it is one' in words
    assert 'amount "0,500". With --set decimal=comma it is one' in words
    assert 'amount "€5". A row without a currency is in USD: --set currency=CODE' in words
    examples = ts.validate("fraud", tmp_path / "a.csv").to_dict()["examples"]
    assert sorted(examples) == ["bad_time", "not_a_number", "other_currency"]


def test_no_prose_is_shown(tmp_path: Path) -> None:
    rows = b"1,my secret \xff\0 letter,2024-01-01\n2,fine,2024-01-01\n"
    (tmp_path / "a.csv").write_bytes(b"complaint_id,narrative,received_at\n" + rows)
    report = ts.validate("complaints", tmp_path / "a.csv").input_report
    assert report.rows_quarantined == 1
    assert "secret" not in str(report.examples)


def test_next_leaves_out_how_the_input_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS.replace('"0,500"', "5"))
    arguments = ["validate", "fraud", str(tmp_path / "a.csv"), "--output", str(tmp_path / "o.csv")]
    shown = (
        CliRunner().invoke(app, [*arguments, "--set", "decimal=comma", "--set", "zone=Europe/Berlin"]).output
    )
    following = shown[shown.index("Next") :]
    assert "zone=Europe/Berlin" in following
    assert "decimal" not in following
