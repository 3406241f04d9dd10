"""What a text specification accepts."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.errors import UsageError
from tallystick.text import TextSpec


def test_a_specification_survives_as_plain_values() -> None:
    spec = TextSpec(words=None, characters=(3, 5), characters_weight=0.5, masks="drop")
    assert TextSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"words": None}, "Neither"),
        ({"words": [2, 1]}, "span"),
        ({"characters": [0, 1]}, "span"),
        ({"masks": "dorp"}, '"drop"'),
        ({"unicode": "3.0.0"}, "15.1.0"),
        ({"min_df": 0}, "min_df"),
        ({"max_df": 1.5}, "share"),
        ({"characters_weight": 0.0}, "above 0"),
        ({"min_fd": 2}, '"min_df"'),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TextSpec.from_dict(values)
