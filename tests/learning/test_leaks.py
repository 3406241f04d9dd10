"""No row is scored by a model that saw it, nor a near copy of it.

Seen to fail with folds that train on their own test rows: accuracy is then above .8.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tallystick as ts

WORDS = np.array([f"word{i}" for i in range(400)])


def noise(rows: int, copies: int, seed: int = 0) -> pl.DataFrame:
    """Letters of random words with random labels: there is nothing to learn but the letters themselves."""
    rng = np.random.default_rng(seed)
    letters = [" ".join(rng.choice(WORDS, 30)) for _ in range(rows)]
    labels = rng.choice(["Mortgage", "Student loan"], rows)
    texts = [letter + " and thanks" * n for letter in letters for n in range(copies)]
    return pl.DataFrame({"narrative": texts, "product": np.repeat(labels, copies)})


@pytest.mark.parametrize("learner", ["naive_bayes", "linear_svm"])
@pytest.mark.parametrize("copies", [1, 3])
def test_what_cannot_be_learned_is_not_known_out_of_fold(learner: str, copies: int, tmp_path: Path) -> None:
    frame = noise(300, copies)
    figures = ts.train("complaints", frame, model=tmp_path, learner=learner).tasks[0].manifest["figures"]
    assert 0.35 < figures["accuracy"] < 0.6


def test_near_copies_leak_where_folds_are_random(tmp_path: Path) -> None:
    """The reason for grouped folds, and the proof that the test above can fail."""
    frame = noise(300, 3)
    ts.train("complaints", frame, model=tmp_path, learner="naive_bayes")
    report = ts.evaluate("complaints", frame, model=tmp_path, split="random").reports["product"]
    assert report["accuracy"] > 0.8
