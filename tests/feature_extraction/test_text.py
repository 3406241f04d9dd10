"""A text column as features: how much of it is known, and whose it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tallystick.feature_extraction import Columns, FitContext, TaskOutput, Text, fit_features, without_content
from tallystick.models import LinearModel
from tallystick.text import TextSpec
from tallystick.text.content import KINDS

TEXTS = [
    "my bank took a late fee of ten dollars", "the bank took a fee", "XXXX XXXX", "ma banque",
    "", None, "fee fee fee", "dollars ten of fee late a took bank my",
]  # fmt: skip
ROWS = pa.RecordBatch.from_pydict({"note": pa.array(TEXTS, pa.string()), "n": [1.0] * len(TEXTS)})


@pytest.mark.parametrize(
    "spec",
    [
        TextSpec(min_df=1), TextSpec(characters=(3, 4), min_df=1), TextSpec(words=None, characters=(3, 3)),
        TextSpec(words=(2, 3), min_df=1), TextSpec(words=(1, 1), masks="drop"),
    ],
    ids=str,
)  # fmt: skip
def test_one_pass_knows_as_much_of_a_row_as_the_plain_way(spec: TextSpec) -> None:
    fitted = fit_features((Text("note", spec),), ROWS.slice(0, 2), FitContext())
    model = LinearModel(np.zeros((fitted.count, 2)), np.zeros(2))
    joined = fitted.joined(model)
    assert joined is not None
    plain = fitted.support(ROWS)
    assert plain is not None
    for top in (0, 3):
        _, support, reasons = joined.explained(ROWS, top, threads=2)
        assert support is not None
        assert support.tolist() == plain.tolist()
        assert (reasons is None) is (top == 0)
    alone = [joined.explained(ROWS.slice(i, 1), 3)[1] for i in range(len(ROWS))]
    assert np.concatenate(alone).tolist() == plain.tolist()


def test_how_much_is_known_is_counted_in_words_and_pairs() -> None:
    fitted = fit_features((Text("note", TextSpec(min_df=1)),), ROWS.slice(0, 2), FitContext())
    support = fitted.support(ROWS)
    assert support is not None
    # different known words, known words, words, known pairs, pairs
    assert support[0].tolist() == [8, 8, 8, 7, 7]
    assert support[2].tolist() == [0, 0, 2, 0, 1]
    assert support[4:6].tolist() == [[0] * 5] * 2
    assert support[6].tolist() == [1, 3, 3, 0, 2]
    assert support[7].tolist() == [8, 8, 8, 0, 7]


def test_only_texts_can_tell_how_much_they_know() -> None:
    def support(*parts: Text | Columns | TaskOutput) -> object:
        return fit_features(parts, rows, FitContext()).support(rows)

    rows = ROWS.append_column("risk.score", pa.array(np.arange(len(ROWS)) / 10))
    text = Text("note", TextSpec(min_df=1))
    assert support(text, Columns(numbers=("n",))) is None
    alone, twice, with_score = support(text), support(text, text), support(text, TaskOutput("risk"))
    assert isinstance(alone, np.ndarray)
    assert np.array_equal(twice, 2 * alone)  # type: ignore[arg-type]
    assert np.array_equal(with_score, alone)  # type: ignore[arg-type]


def test_rows_without_content_are_made_of_every_part() -> None:
    rows = ROWS.append_column("title", ROWS.column("note"))
    made = without_content((Text("note"), TaskOutput("risk"), Text("title")), rows)
    assert len(made) == len(KINDS)
    for one in made:
        assert one.made.tolist() == [len((text or "").split()) >= 8 for text in TEXTS]
        assert one.rows.column("note").to_pylist() == one.rows.column("title").to_pylist()
        assert one.rows.column("note")[0].as_py() != TEXTS[0]
    assert without_content((Text("note"), Columns(numbers=("n",))), rows) == []


def test_a_term_of_one_person_is_no_feature() -> None:
    texts = pa.array(["fee Zawadzka", "fee Zawadzka again", "fee Kowalski", "Kowalski fee"])
    rows = pa.RecordBatch.from_arrays([texts], names=["note"])
    people = np.array([1, 1, 2, 3])
    fitted = fit_features((Text("note"),), rows, FitContext(people=people))
    assert fitted.names == ("fee", "kowalski")
