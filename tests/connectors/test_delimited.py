"""CSV and TSV as they come: read right, refused clearly, or broken record by record."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.config import Settings
from tallystick.connectors import csv_fast, delimited, encoding
from tallystick.connectors.formats import Reading
from tallystick.errors import DataError


def outcome(
    data: bytes, *, by_spans: bool = False
) -> tuple[list[tuple[str, ...]], list[int], list[tuple[int, str]]]:
    """Rows, their numbers, and the broken records, for property tests that cannot use fixtures."""
    reading = Reading("a.csv", lambda: io.BytesIO(data), Settings(batch_rows=3))
    spans = [*delimited.spans(reading)] if by_spans else []
    readings = [replace(reading, span=span) for span in spans] or [reading]
    chunks = [chunk for one in readings for block in delimited.read(one) for chunk in block]
    rows = [tuple(row.values()) for chunk in chunks for row in chunk.rows.to_pylist()]
    numbers = [int(number) for chunk in chunks for number in chunk.records]
    return rows, numbers, [(one.record, one.code) for chunk in chunks for one in chunk.broken]


def in_every_way(data: bytes) -> list[Any]:
    """Read with the fast reader, without it, in blocks of a few bytes, and span by span."""
    outcomes = [outcome(data), outcome(data, by_spans=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_fast, "whole_records", lambda *_: 0)
        outcomes.append(outcome(data))
    for size in (1, 7, 64):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encoding, "BLOCK", size)
            outcomes += [outcome(data), outcome(data, by_spans=True)]
    return outcomes


text = st.text(st.sampled_from('ab é"\n\r,;\t 1😀\ufeff'), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(text, min_size=n, max_size=n), min_size=1, max_size=12)
    ),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@example([["\ufeffa"], ["\ufeff"]], csv.QUOTE_MINIMAL)
@example([["a", "\n"], ["", ""]], csv.QUOTE_MINIMAL)
def test_well_formed_is_read_alike_by_all_readers(rows: list[list[str]], quoting: Any) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n", quoting=quoting)
    header = [f"column{i}" for i in range(len(rows[0]))]
    writer.writerow(header)
    writer.writerows(rows)
    data = written.getvalue().encode()
    python = [tuple(row) for row in csv.reader(io.StringIO(written.getvalue(), newline=""))][1:]
    assert python == [tuple(row) for row in rows]
    for found, numbers, broken in in_every_way(data):
        assert found == python
        assert numbers == list(range(1, len(rows) + 1))
        assert broken == []


malformed = st.lists(
    st.sampled_from(
        [b"a", b'"', b",", b"\n", b"\r\n", b'""', b"\xe9", b"\0", b"b,c\n", b'"x\ny",2\n', b"\r", b"1,2\n"]
    ),
    max_size=24,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(malformed)
@example(b'1,"a\n2,b\n3,c\n')
@example(b'1,"a\nb"c\n3,4\n')  # even quotes, two fields to a lenient reader
@example(b'1,"a\n2,"b"c\n3,"d"\n4,"e"\n')
@example(b'1,5" pipe\n2,"x\ny"\n')
def test_whatever_the_bytes_every_record_is_a_row_or_broken_and_all_readers_agree(data: bytes) -> None:
    data = b"one,two\n" + data
    outcomes = in_every_way(data)
    first = outcomes[0]
    assert all(other == first for other in outcomes[1:])
    rows, numbers, broken = first
    assert sorted(numbers + [record for record, _ in broken]) == list(range(1, len(rows) + len(broken) + 1))


@settings(max_examples=100, deadline=None)
@given(malformed)
def test_a_good_record_reads_alone_as_it_does_among_others(data: bytes) -> None:
    rows, numbers, _ = outcome(b"one,two\n" + data)
    assert len(rows) == len(numbers)
    for row in rows:
        alone = io.StringIO()
        csv.writer(alone, lineterminator="\n").writerow(row)
        assert outcome(b"one,two\n" + alone.getvalue().encode())[0] == [row]


@settings(max_examples=200, deadline=None)
@given(malformed.filter(lambda data: b"\0" not in data and b"\xe9" not in data))
def test_where_no_quote_was_left_open_python_reads_the_same(data: bytes) -> None:
    rows, _, broken = outcome(b"one,two\n" + data)
    if any(code == "unclosed_quote" for _, code in broken):
        return
    python = [tuple(row) for row in csv.reader(io.StringIO(data.decode(), newline="")) if row]
    assert rows == [row for row in python if len(row) == 2]


def test_empty_fields_are_empty_text_and_words_for_nothing_stay(read_bytes: Any) -> None:
    found = read_bytes(b'a,b,c\n,"",NULL\nNaN,N/A,-\n')
    assert found.rows == [{"a": "", "b": "", "c": "NULL"}, {"a": "NaN", "b": "N/A", "c": "-"}]


def test_an_empty_file_is_refused(read_bytes: Any) -> None:
    for data in (b"", b"\n\r\n", b"\xef\xbb\xbf"):
        with pytest.raises(DataError, match=r"a\.csv is empty"):
            read_bytes(data)


def test_a_header_alone_is_refused(read_bytes: Any) -> None:
    for data in (b"a,b", b"a,b\n", b"a,b\r\n\r\n"):
        with pytest.raises(DataError, match="a header but no row"):
            read_bytes(data)


def test_a_doubled_column_is_named(read_bytes: Any) -> None:
    with pytest.raises(DataError, match='"b" more than once'):
        read_bytes(b"a,b,c,b\n1,2,3,4\n")


def test_columns_without_a_name_get_their_place(read_bytes: Any) -> None:
    found = read_bytes(b",a,\n1,2,3\n")
    assert found.rows == [{"column_1": "1", "a": "2", "column_3": "3"}]
    assert "column_N" in found.notes[0]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_header_says_the_delimiter(read_bytes: Any, sign: str) -> None:
    data = f'"a,b;c|d"{sign}e\n"1{sign}2"{sign}3\n'.encode()
    found = read_bytes(data)
    assert found.rows == [{"a,b;c|d": f"1{sign}2", "e": "3"}]


def test_known_names_decide_between_delimiters(read_bytes: Any) -> None:
    data = b"age;job,title\n1;2,3\n"
    assert read_bytes(data, known=("age",)).rows == [{"age": "1", "job,title": "2,3"}]
    assert read_bytes(data, known=("title",)).rows == [{"age;job": "1;2", "title": "3"}]
    assert read_bytes(data, delimiter=";").rows == [{"age": "1", "job,title": "2,3"}]


def test_later_rows_do_not_change_the_delimiter(read_bytes: Any) -> None:
    assert read_bytes(b"a,b\n1;2;3,4\n").rows == [{"a": "1;2;3", "b": "4"}]


def test_a_tsv_is_tab_and_nothing_else(read_bytes: Any) -> None:
    assert read_bytes(b"a,b\tc\n1,2\t3\n", "a.tsv").rows == [{"a,b": "1,2", "c": "3"}]
    with pytest.raises(DataError, match="no tab"):
        read_bytes(b"a,b,c\n1,2,3\n", "a.tsv")


def test_ragged_rows_are_broken_and_the_others_kept(read_bytes: Any) -> None:
    found = read_bytes(b"a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert found.codes() == [(2, "ragged_row"), (3, "ragged_row")]
    assert found.records == [1, 4]
    assert found.broken[1].message == "The record has 3 fields; the header has 2."
    assert found.broken[1].value == "4,5,6\n"


def test_blank_lines_are_no_records(read_bytes: Any) -> None:
    found = read_bytes(b"\n\na,b\n\n1,2\n\r\n\r\n3,4\n\n")
    assert found.records == [1, 2]


def test_carriage_returns_alone_end_lines(read_bytes: Any) -> None:
    assert read_bytes(b'a,b\r1,"x\ry"\r3,4').rows == [{"a": "1", "b": "x\ry"}, {"a": "3", "b": "4"}]


def test_an_open_quote_breaks_its_record_and_no_other(read_bytes: Any) -> None:
    found = read_bytes(b'a,b\n1,"open\n2,"good, text"\n3,"x"\n')
    assert found.codes() == [(1, "unclosed_quote")]
    assert found.broken[0].column == "b"
    assert [row["b"] for row in found.rows] == ["good, text", "x"]


def test_an_open_quote_at_the_end_breaks_its_record_alone(read_bytes: Any) -> None:
    found = read_bytes(b'a,b\n1,2\n2,"open\n3,4\n5,6\n')
    assert found.codes() == [(2, "unclosed_quote")]
    assert [row["a"] for row in found.rows] == ["1", "3", "5"]


def test_a_record_without_end_is_given_up_and_memory_stays_bounded(
    read_bytes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1 << 10)
    monkeypatch.setattr(encoding, "LONGEST", 1 << 12)
    held: list[int] = []
    drop = encoding.Feed.drop
    monkeypatch.setattr(
        encoding.Feed, "drop", lambda feed, size: (held.append(len(feed.buffer)), drop(feed, size))[1]
    )
    found = read_bytes(b'a,b\n1,"open\n' + b"2,good\n" * 5000)
    assert found.codes() == [(1, "unclosed_quote")]
    assert len(found.rows) == 5000
    assert max(held) < 1 << 17  # the header's first look takes 64 KiB


def test_a_line_without_end_is_given_up(read_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 1 << 10)
    monkeypatch.setattr(encoding, "LONGEST", 1 << 12)
    long = b"x" * (1 << 18)
    found = read_bytes(b"a,b\n1,2\n" + long + b"\n3,4\n" + long + b',"y"\n5,6\n')
    assert found.codes() == [(2, "record_too_long"), (4, "record_too_long")]
    assert [row["a"] for row in found.rows] == ["1", "3", "5"]


def test_a_record_with_a_nul_byte_is_broken(read_bytes: Any) -> None:
    found = read_bytes(b"a,b\n1,2\n3,x\0y\n5,6\n")
    assert found.codes() == [(2, "nul_byte")]
    assert (found.broken[0].column, found.broken[0].value) == ("b", "3,x\\x00y\n")
    assert found.records == [1, 3]


def test_nul_bytes_in_the_header_point_to_utf_16(read_bytes: Any) -> None:
    with pytest.raises(DataError, match="utf-16-le"):
        read_bytes("a,b\n1,2\n".encode("utf-16-le"))


def test_an_open_quote_in_the_header_is_refused(read_bytes: Any) -> None:
    with pytest.raises(DataError, match="unclosed_quote"):
        read_bytes(b'a,"b\n1,2\n')


def test_a_field_of_50_megabytes_is_read(read_bytes: Any) -> None:
    long = b'line, of ""text""\n' * (50_000_000 // 18)
    found = read_bytes(b'a,b\n1,"' + long + b'"\n2,short\n')
    assert found.codes() == []
    assert found.rows[0]["b"].encode() == long.replace(b'""', b'"')
    assert found.rows[1] == {"a": "2", "b": "short"}


def test_chunks_hold_at_most_batch_rows_and_count_on(read_bytes: Any) -> None:
    data = b"a\n" + b"".join(b"%d\n" % i for i in range(1, 1001))
    found = read_bytes(data, batch_rows=64)
    assert max(len(chunk.rows) for chunk in found.chunks) == 64
    assert found.records == list(range(1, 1001)) == [int(row["a"]) for row in found.rows]
    assert all(chunk.records.dtype == np.int64 for chunk in found.chunks)


def test_the_fast_reader_is_the_one_that_runs(read_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tallystick.connectors.csv_careful.next_record", _once(delimited.csv_careful.next_record)
    )
    assert len(read_bytes(b"a,b\n" + b'1,"x\n""y"""\n' * 9000, delimiter=",").rows) == 9000


def _once(function: Any) -> Any:
    calls = []

    def called(*args: Any) -> Any:
        calls.append(args)
        assert len(calls) == 1, "only the header is read carefully"
        return function(*args)

    return called


def test_the_public_bank_file_is_read_whole(read_path: Any, public_data: Path) -> None:
    found = read_path(public_data / "campaigns" / "bank.csv.gz")
    assert (len(found.rows), found.broken) == (4521, [])
    assert found.rows[0]["job"] == "unemployed"
