"""The fused scores against the matrix product, and each text's scores in any company."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from tallystick.errors import UsageError
from tallystick.text import TextScorer, TextSpec, Vocabulary

from .conftest import few, made_up
from .test_tokens import harmless

SPECS = [
    TextSpec(),
    TextSpec(words=(2, 3), sublinear=False),
    TextSpec(words=None, characters=(3, 5), min_df=3),
    TextSpec(words=(1, 2), characters=(2, 4), characters_weight=0.7, masks="drop"),
    TextSpec(words=(2, 2), characters=(3, 3)),
]


def scorer_of(spec: TextSpec, classes: int = 11) -> TextScorer:
    rng = np.random.default_rng(1)
    vocabulary = Vocabulary.fit(made_up(300), spec)
    return TextScorer(vocabulary, rng.normal(size=(len(vocabulary), classes)), rng.normal(size=classes))


SCORERS = {spec: scorer_of(spec) for spec in SPECS}


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("classes", [1, 2, 8, 9])
def test_scores_are_the_matrix_product(spec: TextSpec, classes: int, generated: pa.Array) -> None:
    scorer = scorer_of(spec, classes)
    want = scorer.vocabulary.scipy(generated) @ scorer.weights + scorer.intercept
    np.testing.assert_allclose(scorer.logits(generated), want, atol=1e-12)


@given(
    st.sampled_from(SPECS),
    st.lists(st.one_of(few, st.sampled_from(made_up(300).to_pylist()[4:])), min_size=1, max_size=12),
    st.randoms(),
    st.integers(2, 4),
)
def test_a_text_scores_alike_alone_and_in_any_company(
    spec: TextSpec, texts: list[str], random: object, threads: int
) -> None:
    scorer = SCORERS[spec]
    array = pa.array(texts, pa.string())
    logits, reasons = scorer.logits_and_reasons(array, 4)
    order = np.arange(len(texts))
    random.shuffle(order)  # type: ignore[attr-defined]
    mixed, mixed_reasons = scorer.logits_and_reasons(array.take(order), 4, threads)
    assert mixed.tobytes() == logits[order].tobytes()
    assert mixed_reasons.equals(reasons.take(pa.array(order)))
    assert scorer.logits(array, threads).tobytes() == logits.tobytes()
    for i in range(len(texts)):
        alone, alone_reasons = scorer.logits_and_reasons(array.slice(i, 1), 4)
        assert alone.tobytes() == logits[i].tobytes()
        assert alone_reasons.equals(reasons.slice(i, 1))


def test_labels_of_the_peers_own_model(narratives: pa.Table) -> None:
    table = narratives.slice(0, 2000)
    texts = pa.array([harmless(text) for text in table["narrative"].to_pylist()], pa.large_string())
    labels = table["product"].to_pylist()
    peer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    X = peer.fit_transform(texts.to_pylist())
    model = LinearSVC(class_weight="balanced", max_iter=100).fit(X, labels)
    ours = TextScorer(Vocabulary.fit(texts), model.coef_.T, model.intercept_).logits(texts, 2)
    np.testing.assert_allclose(ours, model.decision_function(X), atol=1e-12)


def test_nothing_known_scores_the_intercept() -> None:
    scorer = SCORERS[SPECS[0]]
    logits = scorer.logits(pa.array(["", None, "!", "unheard-of"]))
    assert np.array_equal(logits, np.tile(scorer.intercept, (4, 1)))
    assert scorer.logits(pa.array([], pa.string())).shape == (0, 11)


def test_a_pickled_scorer_scores_alike(generated: pa.Array) -> None:
    for scorer in SCORERS.values():
        scorer.logits(generated)
        data = pickle.dumps(scorer)
        vocabulary = scorer.vocabulary
        assert len(data) < scorer.weights.nbytes + sum(a.nbytes for a in vocabulary.arrays().values()) + 3000
        assert pickle.loads(data).logits(generated).tobytes() == scorer.logits(generated).tobytes()


def test_weights_of_another_shape_are_refused() -> None:
    scorer = SCORERS[SPECS[0]]
    with pytest.raises(UsageError, match="features, classes"):
        TextScorer(scorer.vocabulary, scorer.weights.T, scorer.intercept)
