"""ZIP archives of one table are read as that table; others are refused with what they hold."""

import io
import zipfile
from pathlib import Path

import pytest

import tallystick as ts
from tallystick.config import Settings
from tallystick.connectors import open_source
from tallystick.errors import DataError

ROWS = "complaint_id,narrative\n" + "".join(f'{i},"letter {i}, again"\n' for i in range(5000))


def archive(path: Path, *, compression: int = zipfile.ZIP_DEFLATED, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, text in members.items():
            file.writestr(name.replace("__dot__", ".").replace("__in__", "/"), text)
    return path


def rows(path: Path) -> list[dict[str, str]]:
    return [
        row
        for chunk in open_source(path, Settings(batch_rows=1000)).chunks()
        for row in chunk.rows.to_pylist()
    ]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_one_table_is_read(tmp_path: Path, compression: int) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text(ROWS)
    path = archive(tmp_path / "a.zip", compression=compression, table__dot__csv=ROWS)
    assert rows(path) == rows(plain)
    report = ts.validate("complaints", path).input_report
    assert (report.rows_in, report.rows_clean) == (5000, 5000)


def test_what_systems_leave_behind_does_not_count(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "a.zip",
        __MACOSX__in____dot___t__dot__csv="x", __dot__DS_Store="x",
        data__in__t__dot__jsonl='{"complaint_id": "1"}\n',
    )  # fmt: skip
    assert rows(path) == [{"complaint_id": "1"}]


def test_a_folder_may_hold_archives(tmp_path: Path) -> None:
    archive(tmp_path / "a.zip", t__dot__csv="id\n1\n")
    (tmp_path / "b.csv").write_text("id\n2\n")
    assert rows(tmp_path) == [{"id": "1"}, {"id": "2"}]


def test_several_tables_none_and_what_is_not_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"two.zip holds 2 files: a.csv, b.csv; an archive of one is read"
    ) as two:
        open_source(archive(tmp_path / "two.zip", a__dot__csv="x", b__dot__csv="y"), Settings())
    assert "Unpack it" in two.value.hint
    with pytest.raises(DataError, match=r"none.zip holds 0 files; an archive"):
        open_source(archive(tmp_path / "none.zip"), Settings())
    with pytest.raises(DataError, match=r"holds notes.txt, which is not read"):
        open_source(archive(tmp_path / "txt.zip", notes__dot__txt="x"), Settings())


def test_a_damaged_archive_is_refused_or_ends_in_quarantine(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", compression=zipfile.ZIP_STORED, t__dot__csv=ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="no whole ZIP archive"):
        open_source(path, Settings())
    at = whole.index(b"letter 4999")
    path.write_bytes(whole[:at] + b"!" + whole[at + 1 :])
    report = ts.validate("complaints", path).input_report
    assert report.reasons["broken_file"] == 1


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", t__dot__csv="id\n1\n")
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match="is encrypted"):
        open_source(path, Settings())
    assert zipfile.ZipFile(io.BytesIO(bytes(data))).infolist()[0].flag_bits & 1
