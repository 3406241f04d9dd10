"""What the first bytes of a file say that it is, where that is not what its name says."""

from __future__ import annotations

from typing import IO

from tallystick.errors import DataError

__all__ = ["SPREADSHEET", "refuse_other_content"]

SPREADSHEET = "Save each sheet as CSV UTF-8 (in Excel: File, Save As), and read that."
_GZIP, _ZSTD, _ZIP, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"
#: First bytes → what such a file is, and what to do.
_OTHERS = {
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", SPREADSHEET),
    b"%PDF": ("a PDF", "Ask for its data as CSV."),
    b"SQLite format 3": ("a SQLite database", "Read a table of it: sqlite:///FILE?table=NAME."),
    b"\x89HDF": ("an HDF5 file", "Write it as Parquet."),
    b"ORC": ("an ORC file", "Write it as Parquet."),
    b"Obj\x01": ("an Avro file", "Write it as Parquet."),
    b"ARROW1": ("an Arrow (Feather) file", "Write it as Parquet."),
    b"\x80\x04\x95": ("a pickle", "A pickle may run code when it is read; write it as Parquet."),
    b"\x80\x05\x95": ("a pickle", "A pickle may run code when it is read; write it as Parquet."),
}
_MARKUP = {
    b"<!doctype html": ("a web page", "It may be the page of a login or an error; fetch the file again."),
    b"<html": ("a web page", "It may be the page of a login or an error; fetch the file again."),
    b"<?xml": ("XML", "Write its records as JSON lines or CSV, one for each entry."),
}
_LOOK = 2048


def refuse_other_content(file: IO[bytes], name: str, form: str, compression: str) -> None:
    """Raise DataError where a file is surely something else than its name says; it is left at its start.

    form, compression: as its name says.
    """
    head = file.read(_LOOK)
    file.seek(0)
    if not head:
        return
    if compression == "gzip" and not head.startswith(_GZIP) and head.strip(b"\0"):
        raise _is(name, "not packed by gzip", f"Call it {name.removesuffix('.gz')}.")
    if compression == "zstd" and not (head.startswith(_ZSTD) or head[1:4] == b"\x2a\x4d\x18"):
        raise _is(name, "not packed by zstd", f"Call it {name.removesuffix('.zst')}.")
    if compression or form == "parquet":
        return
    for mark, ending in ((_GZIP, ".gz"), (_ZSTD, ".zst")):
        if head.startswith(mark):
            raise _is(name, f"packed ({ending})", f"Call it {name}{ending}.")
    if head.startswith(_PARQUET):
        raise _is(name, "Parquet", "Call it .parquet.")
    if head.startswith(_ZIP):
        if b"[Content_Types].xml" in head or b"xl/" in head:
            raise _is(name, "an Excel workbook", SPREADSHEET)
        raise _is(name, "a ZIP archive", "Call it .zip, or unpack it.")
    for signature, (what, hint) in _OTHERS.items():
        if head.startswith(signature):
            raise _is(name, what, hint)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for signature, (what, hint) in _MARKUP.items():
        if text.startswith(signature):
            raise _is(name, what, hint)


def _is(name: str, what: str, hint: str) -> DataError:
    return DataError(f"{name} is {what}.", hint)
