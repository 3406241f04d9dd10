"""What every benchmark shares: one JSON line for each claim, times side by side, and the data."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def public_data() -> Path | None:
    """The folder of public data sets, where there is one."""
    folder = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    return folder if folder.is_dir() else None


def data() -> Path:
    """The folder of public data sets; without it the run says so and ends here."""
    folder = public_data()
    if folder is None:
        say("no public data: set TALLYSTICK_DATA to a folder that holds it; nothing is measured")
        sys.exit(0)
    return folder


def say(words: str) -> None:
    """Tell people; stdout is for claims."""
    print(words, file=sys.stderr, flush=True)


def alternate(
    ours: Callable[[], Any],
    peer: Callable[[], Any],
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """Seconds that each of the two takes at its best, run in turn so that both meet the same machine.

    Work of one core can be timed by `time.process_time`, which leaves out what other processes take.
    """
    best = [float("inf"), float("inf")]
    for work in (ours, peer):  # once unmeasured: caches, lazy imports, page faults
        work()
    for _ in range(rounds):
        for side, work in enumerate((ours, peer)):
            gc.collect()
            start = clock()
            work()
            best[side] = min(best[side], clock() - start)
    return best[0], best[1]


def claim(
    name: str,
    ours: float | None,
    peer: float | None = None,
    *,
    unit: str,
    what: str,
    cores: int = 1,
    **more: Any,
) -> float | None:
    """Print one claim as one JSON line, and return ours ÷ peer (a rate grows with it, a time shrinks).

    more: further keys, such as `wanted` (in words), `met`, `interval` and `calibration`.
    """
    ratio = ours / peer if ours is not None and peer else None
    line = {
        "claim": name,
        "ours": _short(ours, 5),
        "peer": _short(peer, 5),
        "ratio": _short(ratio, 4),
        "unit": unit,
        "cores": cores,
        "what": what,
        **more,
    }
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return ratio


def _short(value: float | None, digits: int) -> float | None:
    return None if value is None else float(f"{value:.{digits}g}")


def calibration() -> dict[str, float]:
    """Seconds that this machine takes for fixed work, so that absolute figures can be read elsewhere."""
    block, place = bytearray(1 << 27), memoryview(bytearray(1 << 27))

    def copied() -> None:
        for _ in range(8):
            place[:] = block

    def looped() -> None:
        total = 0
        for number in range(2_000_000):
            total ^= hash((number, total))

    work = {"sha256_128_MB": lambda: hashlib.sha256(block), "copy_1_GB": copied, "loop_2e6": looped}
    return {name: float(f"{min(_timed(one) for _ in range(3)):.3g}") for name, one in work.items()}


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def set_up() -> None:
    """Compile the kernels where that is not done, as `make setup` does: no claim counts it."""
    from tallystick.jobs.prepare import prepare, prepared

    if not prepared():
        prepare()


HEADINGS = {
    "received_at": "Date received", "product": "Product", "sub_product": "Sub-product", "issue": "Issue",
    "sub_issue": "Sub-issue", "narrative": "Consumer complaint narrative", "company": "Company",
    "state": "State", "zip_code": "ZIP code", "tags": "Tags", "submitted_via": "Submitted via",
    "complaint_id": "Complaint ID",
}  # fmt: skip


def raw_complaints(rows: int = 6_000) -> tuple[pa.Table, str]:
    """Complaints with a narrative as the CFPB's CSV has them, all text; and a word on what they are.

    The public ones where they are there, else `rows` simulated ones.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    folder = public_data()
    if folder is not None:
        table, kind = pq.read_table(folder / "complaints" / "cfpb.parquet"), "public"
    else:
        from tallystick import registry

        drawn = pa.Table.from_batches(registry.solution("complaints").simulate(rows, seed=1))
        table, kind = drawn.select(list(HEADINGS)).rename_columns(list(HEADINGS.values())), "simulated"
        say("no public data: simulated complaints take its place")
    narrative = table["Consumer complaint narrative"]
    table = table.filter(pc.and_(pc.is_valid(narrative), pc.is_valid(table["Product"])))
    # An empty field is what a CSV has for nothing.
    columns = [pc.fill_null(column.cast(pa.string()), "") for column in table.columns]
    return pa.table(columns, names=table.column_names), f"{len(table):,} {kind} complaints"


def sklearn_peer() -> Any:
    """What one would write with scikit-learn: words 1 to 2, sublinear TF-IDF, balanced linear SVM."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    vectoriser = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return make_pipeline(vectoriser, LinearSVC(class_weight="balanced"))
