"""Texts that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

WORDS = ["the", "a", "fee", "late", "card", "bank", "credit", "report", "XXXX", "XX/XX/2023", "{$35.00}"]
WORDS += ["don't", "naïve", "ÄRGER", "Σίσυφος", "it's", "3rd", "_x"]


def made_up(texts: int, seed: int = 0) -> pa.Array:
    """Texts of words that come by Zipf's law, with marks between them; some are null or empty."""
    rng = np.random.default_rng(seed)
    rest = [f"word{i}" for i in range(300)]
    words = np.array(WORDS + rest)
    marks = np.array([" ", " ", " ", ", ", ". ", "\n", " - ", "’s "])
    out: list[str | None] = [None, "", "x", "!?"]
    for _ in range(texts - len(out)):
        n = int(rng.integers(1, 60))
        picked = words[np.minimum(rng.zipf(1.3, n) - 1, len(words) - 1)]
        out.append("".join(w + m for w, m in zip(picked, rng.choice(marks, n), strict=True)))
    return pa.array(out, pa.string())


@pytest.fixture(scope="session")
def generated() -> pa.Array:
    """Four hundred made-up texts."""
    return made_up(400)


@pytest.fixture(scope="session")
def narratives(public_data: Path) -> pa.Table:
    """Real complaints: narrative and product."""
    table = pq.read_table(
        public_data / "complaints" / "cfpb.parquet", columns=["Consumer complaint narrative", "Product"]
    ).rename_columns(["narrative", "product"])
    return table.filter(pc.is_valid(table["narrative"])).combine_chunks()


# Short texts of few different characters, so that words repeat, with letters of all sizes in UTF-8.
few = st.text("aAbxX_1 .'ΣσςİéǅⱯ中𝒳\u0307\u00ad", max_size=24)
lists = st.lists(few, min_size=1, max_size=8)
