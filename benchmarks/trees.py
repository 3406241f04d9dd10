"""The tree kernel against xgboost's own predict: 300 trees of depth 6, 300,000 rows of 40 features.

Same trees, same rows, same run. The peer gets its rows ready made (a DMatrix built before the clock starts,
its cache of predictions emptied each round), or as an array, in its own precision.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost

from _claims import alternate, claim
from tallystick.learners.trees_from import trees_from_xgboost

ROWS, FEATURES, TREES, DEPTH = 300_000, 40, 300, 6
EXPLAINED = 500


def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Rows, a twentieth of their values missing, half of the columns with ties; and what is learned."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, FEATURES))
    X[:, FEATURES // 2 :] = np.round(X[:, FEATURES // 2 :], 2)
    X[rng.random(X.shape) < 0.05] = np.nan
    known = np.nan_to_num(X)
    odds = known[:, :10] @ rng.normal(size=10) + known[:, 3] * known[:, 30]
    return X, (odds + 2 * rng.normal(size=ROWS) > 4).astype(int)


def main() -> None:
    X, truth = drawn()
    some = slice(0, 60_000)
    grown = xgboost.XGBClassifier(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=0.05, n_jobs=2, random_state=0
    ).fit(X[some], truth[some])
    booster, ours = grown.get_booster(), trees_from_xgboost(grown)
    X32 = X.astype(np.float32)
    ready = xgboost.DMatrix(X32)

    def predicted() -> Any:
        booster.reset()  # without it the peer would hand out what it has kept
        return booster.predict(ready)

    apart = float(np.abs(ours.library_score(X, threads=2) - predicted()).max())
    kind = f"{TREES} trees of depth {DEPTH}, {len(ours.left):,} nodes, {ROWS:,} rows of {FEATURES}"
    peers: dict[str, Callable[[], Any]] = {
        "predict on a ready DMatrix": predicted,
        "inplace_predict on an array": lambda: booster.inplace_predict(X32),
    }
    for threads in (2, 1):
        booster.set_param({"nthread": threads})
        for name, peer in peers.items():
            mine, theirs = alternate(lambda threads=threads: ours.raw(X, threads), peer)
            claim(
                f"tree kernel, {threads} thread{'s' * (threads > 1)}, against {name}",
                ROWS / mine, ROWS / theirs, unit="rows/s", cores=threads,
                what=f"{kind}; largest difference of a probability {apart:.1e}",
                wanted="ratio at least 1", met=theirs >= mine,
            )  # fmt: skip
    booster.set_param({"nthread": 1})
    one, one32 = X[7:8].copy(), X32[7:8].copy()
    mine, theirs = (
        min(_timed(call, 300) for _ in range(5))
        for call in (lambda: ours.raw(one), lambda: booster.inplace_predict(one32))
    )
    claim(
        "one row through the trees", mine * 1e6, theirs * 1e6, unit="us",
        what=f"one warm call, against inplace_predict; {kind}", wanted="at most 30", met=mine <= 30e-6,
    )  # fmt: skip

    few, ready_one = X[:EXPLAINED].copy(), xgboost.DMatrix(one32)
    ready_few = xgboost.DMatrix(X32[:EXPLAINED])
    shares = ours.contributions(few)
    apart = float(np.abs(shares - booster.predict(ready_few, pred_contribs=True)).max())
    gap = float(np.abs(shares.sum(axis=1) - ours.raw(few)[:, 0]).max())
    mine, theirs = (
        min(_timed(call, 20) for _ in range(5))
        for call in (lambda: ours.contributions(one), lambda: booster.predict(ready_one, pred_contribs=True))
    )
    claim(
        "TreeSHAP of one row", mine * 1e3, theirs * 1e3, unit="ms",
        what=f"exact, path-dependent, against pred_contribs; largest difference {apart:.1e}, "
        f"from the score {gap:.1e}; {kind}",
        wanted="at most 2", met=mine <= 2e-3,
    )  # fmt: skip
    mine, theirs = alternate(
        lambda: ours.contributions(few), lambda: booster.predict(ready_few, pred_contribs=True), rounds=3
    )
    claim(
        "TreeSHAP of many rows", EXPLAINED / mine, EXPLAINED / theirs, unit="rows/s",
        what=f"{EXPLAINED} rows on one thread, against pred_contribs",
    )  # fmt: skip


def _timed(call: Callable[[], Any], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


if __name__ == "__main__":
    main()
