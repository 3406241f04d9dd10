"""Old bundles score the same tomorrow."""

import json
from pathlib import Path

import polars as pl
import pytest

import tallystick as ts
from tallystick.models import load

GOLDEN = Path(__file__).parent / "golden"


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_golden_bundle_scores_as_when_it_was_made(tmp_path: Path) -> None:
    output = tmp_path / "decisions.jsonl"
    ts.score("complaints", GOLDEN / "letters.jsonl", model=GOLDEN / "model", output=output)
    found, wanted = rows(output), rows(GOLDEN / "decisions.jsonl")
    assert len(found) == len(wanted) == 7
    for one, other in zip(found, wanted, strict=True):
        # Mathematical libraries differ by machine in the last digits; nothing else may.
        for part, expected in zip([one, *one["reasons"]], [other, *other["reasons"]], strict=True):
            for name in {"score", "effect"} & set(part):
                value, old = part.pop(name), expected.pop(name)
                assert value is old is None or value == pytest.approx(old, rel=1e-9)
        # Routing rules are a file of their own, which may change.
        assert one | {"route": None} == other | {"route": None}


def test_its_bytes_are_those_that_were_committed() -> None:
    assert load(GOLDEN / "model" / "product").manifest["fingerprint"].startswith("154251bd05920e63")


FRAUD = GOLDEN / "fraud"


def test_windows_of_payments_hold_what_they_held() -> None:
    """Every kind of aggregate, to the bit; payments without key, time or card, in yen, labels between."""
    found = ts.features(
        "fraud",
        pl.read_csv(FRAUD / "payments.csv"),
        windows=FRAUD / "windows.yaml",
        labels=FRAUD / "labels.csv",
    ).drop("id")  # a frame has another name than the file
    assert found.equals(pl.read_parquet(FRAUD / "features.parquet").drop("id"), null_equal=True)
    assert found.shape == (200, 27)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_golden_bundle_decides_payments_as_when_it_was_made(threads: int, tmp_path: Path) -> None:
    output = tmp_path / "decisions.jsonl"
    ts.score(
        "fraud", FRAUD / "payments.csv", model=FRAUD / "model", output=output, labels=FRAUD / "labels.csv",
        set={"threads": threads},
    )  # fmt: skip
    found, wanted = rows(output), rows(FRAUD / "decisions.jsonl")
    assert len(found) == len(wanted) == 200
    assert {row["action"] for row in wanted} == {"accept", "review", "decline"}
    for one, other in zip(found, wanted, strict=True):
        # The trees sum to the same bits anywhere, as the effects of reasons show; the last step to a
        # probability asks the machine for an exponential.
        score, expected = one.pop("score"), other.pop("score")
        assert score is expected is None or score == pytest.approx(expected, rel=1e-12)
        for reason in (*one["reasons"], *other["reasons"]):
            reason.pop("words")  # how a reason is said may become better
        assert one == other


def test_the_golden_bundle_of_payments_is_the_one_committed() -> None:
    assert load(FRAUD / "model" / "fraud").manifest["fingerprint"].startswith("8e71bc4ecdc8")
