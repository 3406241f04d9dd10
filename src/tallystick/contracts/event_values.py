"""Which values of a yes-or-no label mean that the event happened, as the setting `event` says."""

from __future__ import annotations

import pyarrow as pa

from tallystick.config import event_words

__all__ = ["event_flags"]


def event_flags(array: pa.Array, setting: str) -> pa.Array:
    """Turn values of a label into yes and no; others stay as they are, and nulls and blanks unknown.

    >>> event_flags(pa.array(["Fraud", "genuine", None, "pending"]), "fraud/genuine").to_pylist()
    ['yes', 'no', None, 'pending']
    >>> event_flags(pa.array([4837, 4853, None]), "4837").to_pylist()
    ['yes', 'no', None]
    """
    yes, no = event_words(setting)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        texts = array.cast(pa.string())
    except pa.ArrowInvalid:
        return array  # bytes that are no text: the check says so
    coded = texts.dictionary_encode()
    values: list[str] = []
    for text in coded.dictionary.to_pylist():
        word = text.strip().casefold()
        other = "no" if no is None and word else text
        values.append("yes" if word in yes else "no" if no is not None and word in no else other)
    return pa.array(values, pa.string()).take(coded.indices)
