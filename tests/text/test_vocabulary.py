"""Vocabulary and matrix against scikit-learn's vectoriser, to the last feature."""

from __future__ import annotations

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from tallystick.errors import BundleError, DataError
from tallystick.text import TextSpec, Vocabulary
from tallystick.text.counting import count_one, empty_counts, grown

from .conftest import lists
from .test_tokens import expected, harmless, known


def same_as_scikit_learn(texts: pa.Array, spec: TextSpec) -> None:
    peer = TfidfVectorizer(
        ngram_range=spec.words,
        min_df=spec.min_df,
        max_df=spec.max_df,
        sublinear_tf=spec.sublinear,
        use_idf=spec.idf,
    )
    want = peer.fit_transform([text or "" for text in texts.to_pylist()])
    want.sort_indices()
    vocabulary = Vocabulary.fit(texts, spec)
    assert vocabulary.names.to_pylist() == peer.get_feature_names_out().tolist()
    if spec.idf:
        np.testing.assert_allclose(vocabulary.idf, peer.idf_, rtol=1e-12)
    for threads in (1, 3):
        ours = vocabulary.scipy(texts, threads)
        np.testing.assert_array_equal(ours.indptr, want.indptr)
        np.testing.assert_array_equal(ours.indices, want.indices)
        np.testing.assert_allclose(ours.data, want.data, rtol=1e-12)


@pytest.mark.parametrize(
    "spec",
    [
        TextSpec(),
        TextSpec(words=(1, 1), min_df=1),
        TextSpec(words=(2, 3), sublinear=False),
        TextSpec(words=(1, 4), min_df=3, max_df=0.5, idf=False),
    ],
    ids=str,
)
def test_as_scikit_learn_on_made_up_texts(generated: pa.Array, spec: TextSpec) -> None:
    same_as_scikit_learn(generated, spec)


def test_as_scikit_learn_on_real_narratives(narratives: pa.Table) -> None:
    texts = pa.array([harmless(text) for text in narratives["narrative"].to_pylist()], pa.large_string())
    same_as_scikit_learn(texts, TextSpec())


@given(lists, st.integers(1, 2), st.integers(0, 2))
def test_as_scikit_learn_on_any_texts(texts: list[str], low: int, more: int) -> None:
    texts = [harmless("".join(c for c in text if known(c))) for text in texts]
    array = pa.array(texts, pa.string())
    if max(len(expected(text)) for text in texts) < low:
        with pytest.raises(DataError, match="min_df"):
            Vocabulary.fit(array, TextSpec(words=(low, low + more), min_df=1))
    else:
        same_as_scikit_learn(array, TextSpec(words=(low, low + more), min_df=1))


def test_counts_beyond_the_table_of_weights() -> None:
    many = pa.array(["one " * 1000 + "two", "two three", "one"])
    same_as_scikit_learn(many, TextSpec(min_df=1))
    same_as_scikit_learn(many, TextSpec(min_df=1, sublinear=False))


def test_blocks_are_scaled_each_on_its_own(generated: pa.Array) -> None:
    both = Vocabulary.fit(
        generated, TextSpec(words=(1, 2), characters=(3, 4), characters_min_df=3, characters_weight=0.5)
    )
    words = Vocabulary.fit(generated, TextSpec(words=(1, 2)))
    characters = Vocabulary.fit(generated, TextSpec(words=None, characters=(3, 4), min_df=3))
    assert both.names.to_pylist() == words.names.to_pylist() + characters.names.to_pylist()
    joined = both.scipy(generated).toarray()
    np.testing.assert_array_equal(joined[:, : len(words)], words.scipy(generated).toarray())
    np.testing.assert_array_equal(joined[:, len(words) :], 0.5 * characters.scipy(generated).toarray())
    one = Vocabulary.fit(generated, TextSpec(words=(1, 2), characters=(3, 4), characters_min_df=3))
    lengths = np.linalg.norm(one.scipy(generated).toarray(), axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1)


def test_known_words_have_the_characters_that_hashing_finds(generated: pa.Array) -> None:
    vocabulary = Vocabulary.fit(generated, TextSpec(characters=(3, 5), min_df=3))
    assert len(vocabulary.index.known) > 0
    with_memory = vocabulary.matrix(generated)
    vocabulary.index = vocabulary.index._replace(known_at=np.zeros(1, np.int64))
    for ours, plain in zip(with_memory, vocabulary.matrix(generated), strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_masks_are_dropped_before_ngrams() -> None:
    spec = TextSpec(masks="drop", min_df=1)
    assert Vocabulary.fit(pa.array(["paid XXXX twice"]), spec).names.to_pylist() == [
        "paid",
        "paid twice",
        "twice",
    ]


def test_arrays_and_pickle_bring_it_back(generated: pa.Array) -> None:
    vocabulary = Vocabulary.fit(generated, TextSpec(characters=(3, 3)))
    for again in (
        Vocabulary.from_arrays(vocabulary.spec, vocabulary.arrays()),
        pickle.loads(pickle.dumps(vocabulary)),
    ):
        assert again.names.equals(vocabulary.names)
        assert (again.words, again.authors, again.collisions) == (vocabulary.words, vocabulary.authors, 0)
        for ours, theirs in zip(again.matrix(generated), vocabulary.matrix(generated), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_broken_arrays_are_refused(generated: pa.Array) -> None:
    vocabulary = Vocabulary.fit(generated)
    arrays = vocabulary.arrays()
    with pytest.raises(BundleError, match="lacks df"):
        Vocabulary.from_arrays(vocabulary.spec, {k: v for k, v in arrays.items() if k != "df"})
    with pytest.raises(BundleError, match="fit"):
        Vocabulary.from_arrays(vocabulary.spec, arrays | {"df": arrays["df"][1:]})


def test_two_ngrams_with_one_hash_are_found() -> None:
    counts = empty_counts(16)
    h = np.array([7, 7, 9], np.uint64)
    assert count_one(counts, h, np.array([1, 1, 5], np.uint64), 3, 0) == 2
    assert count_one(counts, h, np.array([1, 2, 5], np.uint64), 3, 1) == 0  # 7 now names another n-gram
    counts = grown(counts)
    count_one(counts, h, np.array([1, 2, 5], np.uint64), 3, 2)
    assert counts.df[counts.hashes == 7][0] < 0
    assert counts.df[counts.hashes == 9][0] == 3


def test_order_does_not_change_what_is_learned(generated: pa.Array) -> None:
    spec = TextSpec(characters=(3, 4))
    one, other = (
        Vocabulary.fit(generated, spec),
        Vocabulary.fit(generated.take(np.arange(len(generated))[::-1]), spec),
    )
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, other.arrays()[name])
