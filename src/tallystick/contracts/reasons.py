"""Reason codes of the quarantine, each with one sentence, for checks and connectors."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

__all__ = ["CODE", "REASONS"]

#: Code → the sentence that a person reads. The order is part of the kernels: new ones go to the end.
REASONS: Final = MappingProxyType(
    {
        "ok": "Nothing is wrong.",
        "nul_byte": "The value holds a NUL byte, which no text has.",
        "too_long": "The value is longer than its column allows.",
        "bad_encoding": "The record holds bytes that are no text in its encoding.",
        "blank_label": "The label is blank: a label that is not known is left out, not empty.",
        "bad_time": "The value is no time that can be read, or lies outside the years 1900 to 2262.",
        "future_time": "The event lies in the future, as seen from its arrival or from --as-of.",
        "not_a_number": "The value is no number.",
        "not_an_integer": "The value is no whole number.",
        "not_a_flag": "The value is neither yes nor no.",
        "out_of_range": "The number lies outside what its column allows.",
        "not_allowed": "The value is none of those that its column allows.",
        "pattern": "The value does not look as its column demands.",
        "ragged_row": "The record has more or fewer fields than the header.",
        "unclosed_quote": "A quoted field opens here and never ends.",
        "record_too_long": "The record is longer than a record may be.",
        "bad_json": "The record is no valid JSON.",
        "not_an_object": "The record is JSON, but no object with named values.",
        "doubled_name": "The record has two values of one name.",
        "broken_file": "The file breaks off or is damaged here; the records before it are kept.",
        "unknown_currency": "The value is no currency code of ISO 4217 that has a minor unit.",
        "too_precise": "The amount has more decimals than its currency has.",
        "too_late": "The record is so old that it cannot be told from a duplicate any more.",
        "unknown_event": "The label is for an event that this stream has not met.",
        "bad_avro": "The message is no Avro, or its schema is not to be had.",
        "unknown_record": "The record has none of the columns that are known.",
        "not_a_value": "The cell of the frame holds an object that no table holds.",
        "other_currency": "The amount has the sign of another currency than its row is in.",
        "escaped_quote": "A quote in it has a backslash before it, which --set escape=backslash reads.",
    }
)

#: Code → the number by which kernels and arrays know it; 0 is nothing wrong.
CODE: Final = MappingProxyType({code: number for number, code in enumerate(REASONS)})
