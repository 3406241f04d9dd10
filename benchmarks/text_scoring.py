"""Scoring complaints by the peer's own model: words 1 to 2, min_df 2, sublinear TF-IDF, linear SVM.

The peer is scikit-learn's TfidfVectorizer and LinearSVC, held to one thread; ours has the same weights.
"""

from __future__ import annotations

import os

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})

import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from _claims import alternate, claim, data
from tallystick.text import TextScorer, TextSpec, Vocabulary

CPU = time.process_time  # for what runs on one core
COPIES = 4  # of the narratives, for ours, so that one round takes long enough to time


def complaints() -> tuple[pa.Array, np.ndarray]:
    """Narratives and products of the CFPB's file."""
    table = pq.read_table(
        data() / "complaints" / "cfpb.parquet", columns=["Consumer complaint narrative", "Product"]
    )
    table = table.filter(pc.is_valid(table["Consumer complaint narrative"]))
    texts = table["Consumer complaint narrative"].combine_chunks().cast(pa.large_string())
    return texts, table["Product"].to_numpy()


def main() -> None:
    texts, labels = complaints()
    plain = texts.to_pylist()
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = LinearSVC(class_weight="balanced").fit(vectoriser.fit_transform(plain), labels)
    scorer = TextScorer(Vocabulary.fit(texts), model.coef_.T, model.intercept_)
    many = pa.concat_arrays([texts] * COPIES)

    theirs = model.predict(vectoriser.transform(plain))
    ours = model.classes_[np.argmax(scorer.logits(texts), axis=1)]
    same = f"{np.mean(ours == theirs):.2%} of {len(texts)} labels identical"
    kind = f"{len(scorer.vocabulary)} features, {len(model.classes_)} classes"

    mine, peer = alternate(
        lambda: scorer.logits(many), lambda: model.predict(vectoriser.transform(plain)), clock=CPU
    )
    claim(
        "text scoring", len(many) / mine, len(texts) / peer, unit="texts/s",
        what=f"Arrow to logits, against TfidfVectorizer.transform and LinearSVC.predict; {kind}; {same}",
    )  # fmt: skip
    two, one = alternate(lambda: scorer.logits(many, threads=2), lambda: scorer.logits(many), rounds=9)
    claim(
        "text scoring on two cores", len(many) / two, len(many) / one, unit="texts/s", cores=2,
        what="two threads against one, the same bits",
    )  # fmt: skip
    explained, bare = alternate(
        lambda: scorer.logits_and_reasons(many), lambda: scorer.logits(many), rounds=9
    )
    claim(
        "text scoring with five reasons", len(many) / explained, len(many) / bare, unit="texts/s",
        what="logits and reasons against logits alone",
    )  # fmt: skip

    spec = TextSpec(characters=(3, 5), characters_min_df=5)
    vocabulary = Vocabulary.fit(texts, spec)
    rng = np.random.default_rng(0)
    large = TextScorer(vocabulary, rng.normal(size=(len(vocabulary), 11)), np.zeros(11))
    spelled, words = alternate(lambda: large.logits(texts), lambda: scorer.logits(texts), clock=CPU)
    claim(
        "text scoring with characters 3-5", len(texts) / spelled, len(texts) / words, unit="texts/s",
        what=f"{len(vocabulary)} features, 11 classes, against words alone",
    )  # fmt: skip

    single = texts.slice(7, 1)
    calls = 2000
    best = min(_timed(lambda: scorer.logits_and_reasons(single), calls) for _ in range(5))
    peer_one = min(_timed(lambda: model.predict(vectoriser.transform(plain[7:8])), 100) for _ in range(5))
    claim(
        "one text with five reasons", best * 1e6, peer_one * 1e6, unit="us",
        what="one warm call, against transform and predict without reasons",
    )  # fmt: skip


def _timed(call: object, times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()  # type: ignore[operator]
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()
