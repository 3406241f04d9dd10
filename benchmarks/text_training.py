"""Training the peer's own model: our vocabulary and matrix and its LinearSVC, against all of it its own."""

from __future__ import annotations

import os

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

import time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from _claims import alternate, claim
from tallystick.text import TextScorer, Vocabulary
from text_scoring import complaints


def main() -> None:
    texts, labels = complaints()
    plain = texts.to_pylist()

    def ours() -> TextScorer:
        vocabulary = Vocabulary.fit(texts)
        model = LinearSVC(class_weight="balanced").fit(vocabulary.scipy(texts), labels)
        return TextScorer(vocabulary, model.coef_.T, model.intercept_)

    def peer() -> tuple[TfidfVectorizer, LinearSVC]:
        vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        return vectoriser, LinearSVC(class_weight="balanced").fit(vectoriser.fit_transform(plain), labels)

    def vectorise() -> None:
        Vocabulary.fit(texts).scipy(texts)

    def peer_vectorise() -> None:
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(plain)

    vectoriser, model = peer()
    labels_ours = np.argmax(ours().logits(texts), axis=1)
    labels_peer = np.argmax(model.decision_function(vectoriser.transform(plain)), axis=1)
    mine, theirs = alternate(vectorise, peer_vectorise, clock=time.process_time)
    claim("text vectorising", mine, theirs, unit="s", what=f"vocabulary and matrix of {len(texts)} texts")
    mine, theirs = alternate(ours, peer, clock=time.process_time)
    claim(
        "text training", mine, theirs, unit="s",
        what=f"vocabulary, matrix, LinearSVC; {np.mean(labels_ours == labels_peer):.2%} of labels identical",
    )  # fmt: skip


if __name__ == "__main__":
    main()
