from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tallystick.config import Settings
from tallystick.contracts import Report
from tallystick.errors import DataError, UsageError
from tallystick.solutions.complaints.contract import COMPLAINTS
from tallystick.solutions.complaints.taxonomy import PRODUCTS

API = {
    "product": "Credit reporting, credit repair services, or other personal consumer reports",
    "complaint_what_happened": "b'They didn\\'t answer.\\n'",
    "date_sent_to_company": "2023-08-01T12:00:00-05:00",
    "issue": "Improper use of your report",
    "sub_product": "Credit reporting",
    "zip_code": "330XX",
    "tags": None,
    "has_narrative": True,
    "complaint_id": "7341234",
    "timely": "Yes",
    "consumer_consent_provided": "Consent provided",
    "company_response": "Closed with explanation",
    "submitted_via": "Web",
    "company": "EXPERIAN",
    "date_received": "2023-08-01T12:00:00-05:00",
    "state": "FL",
    "consumer_disputed": "N/A",
    "company_public_response": None,
    "sub_issue": "Reporting company used your report improperly",
}  # fmt: skip


def read(table: pa.Table, labels_wanted: Any = True) -> tuple[pa.Table, Report]:
    column_mapping = COMPLAINTS.resolve(table.schema.names)
    parts, report = [], Report()
    for batch in table.to_batches(4_096):
        checked = COMPLAINTS.check(batch, column_mapping, Settings(), labels_wanted=labels_wanted)
        parts.append(checked.rows)
        report += Report.of(checked.bad.code, len(checked.kept))
    return pa.Table.from_batches(parts, column_mapping.schema), report


def test_the_json_of_the_api() -> None:
    rows = pa.RecordBatch.from_pylist([API])
    column_mapping = COMPLAINTS.resolve(rows.schema.names)
    assert column_mapping.ignored == ("has_narrative",)
    assert len(column_mapping.ours) == 18
    row = COMPLAINTS.check(rows, column_mapping, Settings()).rows.to_pylist()[0]
    assert row["received_at"] == row["sent_to_company_at"] == datetime(2023, 8, 1, 17, tzinfo=UTC)
    assert row["narrative"] == "They didn't answer."
    assert row["product"] == "Credit reporting or other personal consumer reports"
    assert (row["timely"], row["disputed"], row["zip_code"]) == (True, None, "330XX")


@pytest.mark.parametrize(
    ("names", "ours"),
    [
        (
            ["complaint_text", "category", "date", "customer_id"],
            ["received_at", "narrative", "product", "customer_id"],
        ),
        (["text", "label"], ["narrative", "product"]),
        (["id", "complaint"], ["complaint_id", "narrative"]),
        (
            ["Description", "Product", "Sub Product", "Created At"],
            ["received_at", "narrative", "product", "sub_product"],
        ),
    ],
)
def test_plain_files(names: list[str], ours: list[str]) -> None:
    assert list(COMPLAINTS.resolve(names).ours) == ours


def test_what_is_ambiguous_is_asked() -> None:
    with pytest.raises(DataError, match='"label" and "category" both mean product'):
        COMPLAINTS.resolve(["text", "label", "category"])
    assert COMPLAINTS.resolve(["text", "label", "category"], {"label": "product"}).ignored == ("category",)


def test_the_public_extract_is_clean_in_every_form(public_data: Path, tmp_path: Path) -> None:
    table = pq.read_table(public_data / "complaints" / "cfpb.parquet")
    column_mapping = COMPLAINTS.resolve(table.column_names)
    assert (len(column_mapping.ours), column_mapping.ignored, column_mapping.notes) == (18, (), ())
    clean, report = read(table)
    assert report.to_dict()["rows_clean"] == 99_317 == report.rows_in
    assert set(clean["product"].unique().to_pylist()) == set(PRODUCTS)
    assert clean["narrative"].null_count == 92_621
    before, after = table["Consumer complaint narrative"], clean["narrative"]
    assert pc.sum(pc.match_substring_regex(before, "^b['\"X]")).as_py() == 4
    assert pc.sum(pc.match_substring_regex(after, "^b['\"X]")).as_py() == 0
    assert clean["disputed"].null_count >= 49_969  # blank and N/A
    # As a CSV says it, a value that is not there is an empty text.
    pa.csv.write_csv(table, tmp_path / "cfpb.csv")
    text = pa.csv.read_csv(
        tmp_path / "cfpb.csv",
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(table.column_names, pa.string()), strings_can_be_null=False
        ),
    )
    again, report = read(text)
    assert report.rows_quarantined == 0
    assert again.equals(clean)


def test_the_other_public_files(public_data: Path) -> None:
    folder = public_data / "complaints"
    extra = pq.read_table(folder / "narratives_extra.parquet")
    clean, report = read(extra)
    assert (report.rows_clean, report.rows_quarantined) == (5_339, 0)
    assert COMPLAINTS.resolve(extra.column_names).ignored == ("label_scheme", "text_kind")
    assert clean["product"].null_count == 3_797
    assert "Credit reporting, repair, or other" in clean["product"].unique().to_pylist()  # a class of its own

    metadata = pq.read_table(folder / "cfpb_metadata_2011_2022.parquet").slice(0, 200_000)
    clean, report = read(metadata)
    assert (report.rows_clean, report.rows_quarantined) == (200_000, 0)
    assert clean["received_at"][0].as_py() == datetime(2011, 12, 31, tzinfo=UTC)


def test_which_blanks_are_bad() -> None:
    rows = pa.table(
        {
            "id": ["1", "2", "", "4"],
            "text": ["", "a", "b", "c"],
            "product": ["Mortgage", " ", "Mortgage", None],
            "issue": ["", "x", "x", "x"],
            "sub_issue": ["", "", "", ""],
        }
    )
    clean, report = read(rows)
    assert report.reasons == {"blank_label": 1}
    assert clean["complaint_id"].to_pylist() == ["1", None, "4"]
    assert clean["narrative"].to_pylist() == [None, "b", "c"]
    assert read(rows, ("issue",))[1].reasons == {"blank_label": 1}
    assert read(rows, ("product", "issue", "sub_issue"))[1].reasons == {"blank_label": 2}
    assert read(rows, False)[1].rows_quarantined == 0


def test_a_narrative_beyond_a_mebibyte_is_in_quarantine() -> None:
    table = pa.table({"text": ["x" * 1_048_576, "x" * 1_048_577]})
    assert read(table)[1].reasons == {"too_long": 1}


def test_what_comes_after_the_event_is_no_feature() -> None:
    after = ("sent_to_company_at", "public_response", "company_response", "timely", "disputed")
    assert COMPLAINTS.leaky(column.name for column in COMPLAINTS.columns) == after
    with pytest.raises(UsageError, match="Timely response"):
        COMPLAINTS.refuse_leaks(["narrative", "Timely response?"], "product")
