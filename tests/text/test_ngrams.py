"""Character n-grams against scikit-learn's char_wb over our tokens, through a whole vocabulary."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from sklearn.feature_extraction.text import CountVectorizer

from tallystick.errors import DataError
from tallystick.text import TextSpec, Vocabulary

from .conftest import lists
from .test_tokens import expected, known


@given(lists)
@pytest.mark.parametrize("span", [(1, 1), (3, 5), (2, 9)])
def test_character_ngrams_are_char_wb_over_our_words(span: tuple[int, int], texts: list[str]) -> None:
    spec = TextSpec(words=None, characters=span, min_df=1, sublinear=False, idf=False)
    texts = ["".join(c for c in text if known(c)) for text in texts]
    words = [" ".join(expected(text)) for text in texts]
    array = pa.array(texts, pa.string())
    if not any(words):
        with pytest.raises(DataError):
            Vocabulary.fit(array, spec)
        return
    peer = CountVectorizer(analyzer="char_wb", ngram_range=span, lowercase=False)
    want = peer.fit_transform(words)
    vocabulary = Vocabulary.fit(array, spec)
    assert vocabulary.names.to_pylist() == peer.get_feature_names_out().tolist()
    lengths = np.sqrt(want.multiply(want).sum(axis=1))
    np.testing.assert_allclose(
        np.asarray(vocabulary.scipy(array).multiply(lengths).todense()),
        np.asarray(want.todense()),
        atol=1e-12,
    )
