from pathlib import Path

import pytest

from tallystick.config import Settings, describe, load
from tallystick.errors import UsageError


def test_the_later_place_wins(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('seed = 1\nzone = "Europe/Berlin"\nthreads = 3\n')
    settings, origins = load(file, {"seed": "3"}, {"TALLYSTICK_SEED": "2", "TALLYSTICK_ZONE": "Asia/Tokyo"})
    assert (settings.seed, settings.zone, settings.threads) == (3, "Asia/Tokyo", 3)
    assert origins == {"seed": "--set", "zone": "TALLYSTICK_ZONE", "threads": str(file)}


def test_the_file_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tallystick.toml").write_text("seed = 9\n")
    assert load(environment={})[0].seed == 9


def test_unknown_variables_of_the_environment_are_others_business() -> None:
    assert load(environment={"TALLYSTICK_DATA": "/data"})[0] == Settings()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sede", "1", 'Did you mean "seed"'),
        ("zone", "Middle/Earth", "no time zone"),
        ("date_order", "year-first", "day-first"),
        ("accuracy", "1.5", "between 0 and 1"),
        ("accuracy", "often", "a share such as"),
        ("batch_rows", "0", "must not be below 1"),
        ("threads", "many", "threads"),
        ("epoch", "yesterday", "2024-01-31"),
        ("currency", "EURO", "no currency code"),
        ("currency", "", "no currency code"),
        ("step", "hour", "30s, 15m, 1h, 7d or 2w"),
        ("step", "0d", "30s, 15m, 1h, 7d or 2w"),
        ("retention", "90 days", "30s, 15m, 1h, 7d or 2w"),
        ("label_delay", "soon", "30s, 15m, 1h, 7d or 2w"),
        ("encoding", "klingon", "no encoding"),
        ("log_level", "loud", "warning"),
        ("review_cost", "-1", "a cost is a number from 0 up"),
        ("decline_cost", "much", "decline_cost"),
        ("decline_cost", "inf", "a cost is a number from 0 up"),
    ],
)
def test_a_wrong_setting_says_what_would_be_right(name: str, value: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Settings().with_values({name: value}, "--set")


def test_currency_and_step_as_they_are_kept() -> None:
    kept = Settings().with_values({"currency": " eur", "step": "15m"}, "--set")
    assert (kept.currency, kept.step) == ("EUR", "15m")
    assert Settings().with_values({"step": ""}, "--set").step == ""


@pytest.mark.parametrize("text", [".9", "0.9", "90%", 0.9])
def test_a_share_may_be_written_in_any_usual_way(text: object) -> None:
    assert Settings().with_values({"accuracy": text}, "--set").accuracy == 0.9


def test_a_named_file_that_is_missing_or_broken_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no settings file"):
        load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("seed = ")
    with pytest.raises(UsageError, match="TOML"):
        load(tmp_path / "bad.toml")


def test_every_setting_says_what_it_is_for() -> None:
    listed = describe(Settings(), {"seed": "--set"})
    assert all(len(one.doc) > 10 for one in listed)
    assert {one.name: one.origin for one in listed}["seed"] == "--set"


def test_settings_of_events_as_they_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('review = "alerts_per_day=50"\nreview_cost = 7\nlabel_delay = "12h"\nrules = "a.yaml"\n')
    settings, origins = load(file, {"decline": "cost", "decline-cost": "0.25"}, {"TALLYSTICK_REVIEW": "cost"})
    assert (settings.review, settings.decline, settings.rules) == ("cost", "cost", "a.yaml")
    assert (settings.review_cost, settings.decline_cost, settings.label_delay) == (7.0, 0.25, "12h")
    assert origins["review"] == "TALLYSTICK_REVIEW"
    usual = Settings()
    assert (usual.review, usual.decline, usual.label_delay, usual.rules) == ("", "", "", "")
    assert (usual.review_cost, usual.decline_cost) == (5.0, 0.1)
