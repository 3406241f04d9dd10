"""An old bundle scores the same tomorrow."""

import json
from pathlib import Path

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
    assert load(GOLDEN / "model" / "product").manifest["fingerprint"].startswith("f5169ef720281f0e")
