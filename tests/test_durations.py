import pytest

from tallystick import durations
from tallystick.config import Settings
from tallystick.notify.limits import duration
from tallystick.windows import Windows
from tallystick.windows.roles import TableRoles

SECONDS = {"30s": 30, "15m": 900, "1h": 3_600, "7d": 604_800, "2w": 1_209_600}


@pytest.mark.parametrize("text", SECONDS)
def test_one_spelling_is_a_length_everywhere(text: str) -> None:
    length = SECONDS[text] * durations.SECOND
    assert durations.parse(text) == durations.parse_words(text) == length
    assert Settings().with_values({"retention": text}, "--set").retention == text
    entry = {"entity": "a", "windows": [text], "aggregates": ["count"]}
    assert Windows.of({"features": [entry]}, TableRoles("event_time")).horizon_us >= length
    if length <= durations.DAY:
        assert duration(text) == length


@pytest.mark.parametrize("text", ["", "1", "h", "0d", "1.5h", "-1h", "1 h", "1y", "1H", "9999999w"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a length of time|thousand years"):
        durations.parse(text)


def test_words_are_lengths_where_a_file_allows_them() -> None:
    assert durations.parse_words("5 minutes") == durations.parse_words("300 SEC") == 5 * durations.MINUTE
    assert durations.parse_words("2 weeks") == durations.parse("2w")
    with pytest.raises(ValueError, match="2 hours"):
        durations.parse_words("a while")


def test_zero_is_a_length_where_it_means_none() -> None:
    assert durations.parse("0s", zero=True) == durations.parse("0", zero=True) == 0
    with pytest.raises(ValueError, match='"0s" is not'):
        durations.parse("0s")
