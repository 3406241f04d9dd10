from datetime import date

import pytest

from tallystick.errors import UsageError
from tallystick.solutions.fraud.simulator import PRESETS, simulate
from tallystick.solutions.fraud.simulator.preset import Preset, read


def written(tmp_path, words: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(words)
    return str(path)


def test_there_are_four_presets() -> None:
    assert PRESETS == ("default", "handbook", "hostile", "prototype")
    assert all(read(name)[1]["about"] for name in PRESETS)


def test_a_file_says_what_differs(tmp_path) -> None:
    like, words = read(
        written(tmp_path, "like: handbook\ncustomers: 30\nstart: 2024-02-01\nlabel_delay: 12h\n")
    )
    preset = Preset.of(words, "mine")
    assert like == "handbook"
    assert (preset.customers, preset.start, preset.label_delay) == (30, date(2024, 2, 1), 43_200)
    assert preset.high_amount == 22_000
    assert preset.frauds == {"compromised_terminal": 4.0, "compromised_customer": 6.0}
    assert read(written(tmp_path, ""))[0] == "default"


def test_the_seed_of_a_file_counts_where_none_is_asked_for(tmp_path) -> None:
    path = written(tmp_path, "seed: 9\n")
    rows = [next(simulate(50, seed, path)).to_pylist() for seed in (0, 9, 10)]
    assert rows[0] == rows[1] != rows[2]


def test_columns_can_be_chosen(tmp_path) -> None:
    path = written(tmp_path, "columns: [is_fraud, amount, event_time]\ncurrencies: {EUR: 1}\n")
    assert next(simulate(5, 0, path)).schema.names == ["event_time", "amount", "is_fraud"]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("dys: 3", '"dys" is no setting', "days"),
        ("days: 0", 'days is "0"', "at least 1"),
        ("days: true", 'days is "True"', "whole number"),
        ("large: 2", "large", "from 0 to 1"),
        ("terminals: many", "terminals", "number"),
        ("label_delay: soon", "label_delay", "7d"),
        ("label_spread: wide", "label_spread", "exponential"),
        ("start: 13/2025", "start", "date"),
        ("columns: [amont]", 'no column "amont"', "amount"),
        ("columns: all", "columns", "list"),
        ("frauds: {mule_rings: 1}", 'no fraud "mule_rings"', "mule_ring"),
        ("frauds: {mule_ring: -1}", "mule_ring", "from 0"),
        ("frauds: 3", "frauds", "names"),
        ("currencies: {USD: .5}", "currencies", "whole weight"),
        ("like: handbok", "handbok", "handbook"),
        ("- days", "no settings", "days: 30"),
        ("days: [", "no YAML", "days: 30"),
    ],
)
def test_a_file_that_cannot_be_says_why(words: str, message: str, hint: str, tmp_path) -> None:
    path = written(tmp_path, words)
    with pytest.raises(UsageError) as caught:
        simulate(10, 0, path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert path in caught.value.message


@pytest.mark.parametrize(("name", "hint"), [("handbok", "handbook"), ("no/such.yaml", "Name a file")])
def test_a_preset_that_is_not_there_says_what_is(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        simulate(10, 0, name)
    assert name in caught.value.message
    assert hint in caught.value.hint
