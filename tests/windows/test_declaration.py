"""Declarations: names, words, round trip, and what is refused and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.windows.conftest import ROLES, declare

from tallystick.errors import UsageError
from tallystick.windows import Windows

FILE = """
mode: tiled
tiles: 30
conditions:
  ordinary: "amount < 220"
  ordinary_fraud: "known_fraud and amount < 220 and night"
features:
  - {entity: customer_id, windows: [1d, 7d], aggregates: [count, mean amount, first_seen]}
  - {entity: terminal_id, windows: [1d], aggregates: [risk], delay: 7d}
  - {entity: [customer_id, terminal_id], windows: 90d, aggregates: count, where: ordinary_fraud}
  - {entity: terminal_id, windows: [7d], aggregates: [distinct customer_id, mean v1]}
"""


def read(tmp_path: Path, text: str = FILE) -> Windows:
    path = tmp_path / "windows.yaml"
    path.write_text(text, encoding="utf-8")
    return Windows.read(path, ROLES)


def one(**words: Any) -> dict[str, Any]:
    return {"features": [{"entity": "customer_id", "windows": ["1d"], "aggregates": ["count"], **words}]}


def test_the_file_and_python_say_the_same(tmp_path: Path) -> None:
    windows = read(tmp_path)
    assert windows.names == (
        "customer_id__count__1d", "customer_id__count__7d", "customer_id__mean_amount__1d",
        "customer_id__mean_amount__7d", "customer_id__first_seen__ever", "terminal_id__risk__1d",
        "customer_id+terminal_id__count__90d__ordinary_fraud", "terminal_id__distinct_customer_id__7d",
        "terminal_id__mean_v1__7d",
    )  # fmt: skip
    assert windows.columns == ("amount", "currency", "customer_id", "event_time", "terminal_id", "v1")
    assert windows.entities == ("customer_id", "terminal_id")
    assert windows.horizon_us == 90 * 86_400_000_000
    again = declare(windows.to_dict())
    assert again == windows
    assert again.fingerprint == windows.fingerprint


@pytest.mark.parametrize("change", [
    {"windows": ["2d"]}, {"aggregates": ["sum amount"]}, {"tiles": 24}, {"mode": "exact"}, {"delay": "1d"},
    {"cap": 2}, {"where": "night"}, {"entity": "device_id"}, {"include_current": True}, {"gap": "1d"},
    {"trim": 0.2}, {"distinct_cap": 9}, {"suffix": "x"},
])  # fmt: skip
def test_the_fingerprint_changes_with_any_word(change: dict[str, Any]) -> None:
    assert declare(one(**change)).fingerprint != declare(one()).fingerprint


def test_the_fingerprint_changes_with_a_condition() -> None:
    first, second = (
        declare({"conditions": {"x": f"amount < {n}"}, **one(where="x")}).fingerprint for n in (1, 2)
    )
    assert first != second


def test_restrict_leaves_out_what_lacks_a_column(tmp_path: Path) -> None:
    windows = read(tmp_path).restrict({"event_time", "customer_id", "terminal_id"})
    assert windows.names == (
        "customer_id__count__1d", "customer_id__count__7d", "customer_id__first_seen__ever",
        "terminal_id__risk__1d", "terminal_id__distinct_customer_id__7d",
    )  # fmt: skip


@pytest.mark.parametrize(("document", "said"), [
    (one(window="1d"), 'entry 1): there is no word "window"'),
    (one(windows=["1x"]), '"1x" is not a length of time'),
    (one(windows=["1d", "0d"]), '"0d" is not a length of time'),
    (one(aggregates=["cuont"]), 'Did you mean "count"'),
    (one(aggregates=["mean"]), "write the column after it"),
    (one(aggregates=["count amount"]), "it takes no column"),
    (one(aggregates=["share"]), "share lacks a where"),
    (one(aggregates=["risk"]), "risk lacks a delay"),
    (one(aggregates=["first_seen"], delay="1d"), "first_seen takes no"),
    (one(where="nigth"), 'Did you mean "night"'),
    (one(mode="tiles"), "there are tiled and exact"),
    (one(tiles=0), "a whole number from 1"),
    (one(tiles=7), "cannot be cut into 7 equal tiles"),
    (one(cap=True), "a whole number from 1"),
    (one(trim=0.5), "below .5"),
    (one(include_current=1), "true or false"),
    (one(entity=["customer_id", "customer_id"]), "cannot be one"),
    (one(entity=7), "a list of texts"),
    ({"features": [{"entity": "customer_id"}]}, "lacks the word windows"),
    ({"features": ["customer_id"]}, "entry 1) is not a list of words"),
    ({"features": {}, "feature": []}, 'Did you mean "features"'),
    ({"features": "x"}, "a list is wanted"),
    ({"conditions": {"x": "amount <"}, **one()}, "(conditions, x)"),
    ({"conditions": {"x y": "amount < 1"}, **one()}, "plain name"),
    ({"features": one()["features"] * 2}, "declared twice, in entries 1 and 2"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_spot(document: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        declare(document, "w.yaml")
    assert said in str(caught.value)
    assert "w.yaml" in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("features: [", "line 1"), ("", "is empty"), ("- a", "declares nothing"),
])  # fmt: skip
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Windows.read(tmp_path / "none.yaml", ROLES)


def test_all_that_is_wrong_in_a_file_is_said_at_once_with_its_lines(tmp_path: Path) -> None:
    text = (
        "tiles: 30\nfaetures: []\nconditions:\n  big: amount <\n  small: amount < 5\nfeatures:\n"
        "  - {entity: customer_id, windows: [1d, 2x], aggregates: [cuont], trim: 7}\n"
        "  - entity: customer_id\n    windows: [1d]\n    aggregates: [share]\n"
        "  - {entity: customer_id, windows: [7d], aggregates: [count], where: smal}\n"
    )
    with pytest.raises(UsageError, match="7 things are wrong") as caught:
        read(tmp_path, text)
    for said in (
        'there is no word "faetures"', "line 4 (conditions, big)",
        'line 7 (features, entry 1), windows: "2x"',
        'line 7 (features, entry 1), aggregates: there is no "cuont". Did you mean "count"',
        "line 7 (features, entry 1), trim:", "line 8 (features, entry 2): share lacks a where",
        'line 11 (features, entry 3), where: there is no condition "smal". Did you mean "small"',
    ):  # fmt: skip
        assert said in str(caught.value)


def test_what_such_a_file_has_no_use_for_is_refused(tmp_path: Path) -> None:
    for text in (
        "features: &a [*a]\n",
        "features: !!python/object:os.system []\n",
        "features: [[[[[[[[[]]]]]]]]]\n",
    ):
        with pytest.raises(UsageError, match="line 1"):
            read(tmp_path, text)
