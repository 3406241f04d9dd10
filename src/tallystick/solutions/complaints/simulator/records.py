"""The simulator: complaints like a bank's own, of any number: demos and load tests need nobody's data.

Two years of letters in time order: the week, the seasons, growth, and an issue that starts in the last weeks.
Letters are put together from sentences (`grammar.py`); some are vague, some speak of two products, some come
from a template, some are labelled wrongly, so that a classifier does as it does on real letters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import UsageError, did_you_mean
from tallystick.solutions.complaints.simulator.draws import Draws
from tallystick.solutions.complaints.simulator.grammar import Grammar, grammar
from tallystick.solutions.complaints.simulator.hostile import spoil
from tallystick.solutions.complaints.simulator.sentences import RENDERINGS, STYLES

__all__ = ["PRESETS", "simulate"]

BATCH = 8192
START, DAYS = date(2024, 1, 1), 731
WEEK = (115, 120, 118, 115, 105, 60, 55)  # Monday … Sunday, per cent
HOURS = (6, 4, 2, 1, 1, 1, 1, 2, 2, 3, 5, 9, 14, 18, 20, 20, 18, 18, 18, 17, 16, 14, 11, 8)  # in UTC
LENGTHS = np.array(
    (1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10, 11, 13, 15, 18, 22, 30)
)  # sentences in the middle
STRIDES = np.array((29, 31, 37, 41, 43, 47))  # primes above the lines of any pool: each is met once
FIRST_ID = 7_000_000
# Where, in a thousand sentences of the middle, those of the sub-issue end, of the issue, the product and the
# openings; the rest is what any letter may say.
MIDDLE = np.array((250, 420, 580, 630))
STORY = 4


@dataclass(frozen=True)
class Preset:
    """How untidy the letters are, in cases of a thousand."""

    about: str
    missing: int = 60
    mislabelled: int = 25
    two_products: int = 190
    vague: int = 160
    template: int = 220
    styles: tuple[int, ...] = (700, 860, 950)  # where hasty, careless and loud letters begin
    spoilt: bool = False


PRESETS = {
    "default": Preset("as real letters are"),
    "clean": Preset("without errors, doubt or templates", 0, 0, 0, 0, 0, (1000, 1000, 1000)),
    "hostile": Preset("with broken rows, all columns as text", spoilt=True),
}


def simulate(rows: int, seed: int = 0, preset: str = "default") -> Iterator[pa.RecordBatch]:
    """Yield complaints in batches; the same arguments give the same bytes on every platform.

    >>> [batch.num_rows for batch in simulate(3, seed=1)]
    [3]

    Columns as in the contract: complaint_id, received_at (timestamp, UTC), narrative, product, sub_product,
    issue, sub_issue, company, customer_id, state, zip_code, tags, submitted_via.
    Presets: default, clean, hostile. Raises UsageError for an unknown one, negative rows or a negative seed.
    """
    if preset not in PRESETS:
        raise UsageError(f'There is no preset "{preset}".', did_you_mean(preset, PRESETS))
    if rows < 0 or seed < 0:
        raise UsageError(f"rows and seed must not be negative, they are {rows} and {seed}.")
    return _batches(rows, seed, PRESETS[preset])


def _batches(rows: int, seed: int, preset: Preset) -> Iterator[pa.RecordBatch]:
    book = grammar()
    calendar = _calendar()
    for start in range(0, rows, BATCH):
        draws = Draws(seed, start)
        size = min(BATCH, rows - start)
        batch = _batch(book, calendar, preset, draws, seed, rows, np.arange(start, start + size))
        yield spoil(batch, draws) if preset.spoilt else batch


def _calendar() -> NDArray[np.int64]:
    """Weigh every hour of the two years: growth, week, hour; cumulated, in whole numbers."""
    days = [START + timedelta(day) for day in range(DAYS)]
    weights = [(1000 + 2 * day) * WEEK[when.weekday()] // 100 for day, when in enumerate(days)]
    hours: NDArray[np.int64] = np.outer(np.array(weights), np.array(HOURS)).ravel()
    return np.concatenate([[0], np.cumsum(hours)])


def _batch(
    book: Grammar,
    calendar: NDArray[np.int64],
    preset: Preset,
    draws: Draws,
    seed: int,
    rows: int,
    place: NDArray[np.int64],
) -> pa.RecordBatch:
    size = len(place)
    # One row in each of `rows` equal parts of the two years: in time order without a sort.
    at = (place * int(calendar[-1]) + draws.below(int(calendar[-1]), size)) // rows
    hour = np.searchsorted(calendar, at, side="right") - 1
    seconds = hour * 3600 + (at - calendar[hour]) * 3600 // (calendar[hour + 1] - calendar[hour])
    day = hour // 24

    product = book.drawn_products.draw(draws, np.minimum(day * 24 // DAYS, 23)) % len(book.products)
    leaf = book.drawn_leaves.draw(draws, product)
    sub_product = book.drawn_sub_products.draw(draws, product)
    into = day - (DAYS - book.emerging.days)
    burst = draws.happens(np.maximum(into + 1, 0) * book.emerging.peak // book.emerging.days, size)
    leaf[burst], sub_product[burst] = book.emerging.leaf, book.emerging.sub_product
    leaves = np.array([of for of, _, _ in book.leaves])
    product = leaves[leaf]
    mill = np.full(size, -1)
    for of, mills in book.mills_of.items():
        chosen = np.flatnonzero((product == of) & draws.happens(preset.template, size) & ~burst)
        mill[chosen] = mills[draws.below(len(mills), len(chosen))]
        leaf[chosen] = book.mill_leaf[mill[chosen]]
    company = book.drawn_companies.draw(draws, product)
    text = _narratives(book, preset, draws, product, leaf, company, mill, burst)
    text = pc.if_else(pa.array(draws.happens(preset.missing, size)), pa.scalar(None, text.type), text)

    wrong = np.flatnonzero(draws.happens(preset.mislabelled, size) & ~burst)
    other = book.near[book.drawn_near.draw(draws, product[wrong])]
    leaf[wrong] = book.drawn_leaves.draw(draws, other)
    sub_product[wrong] = book.drawn_sub_products.draw(draws, other)
    return pa.RecordBatch.from_pydict(
        {
            "complaint_id": pa.array(FIRST_ID + place * 3 + draws.below(3, size)).cast(pa.string()),
            "received_at": pa.array(_microseconds(seconds), pa.timestamp("us", "UTC")),
            "narrative": text,
            "product": _names(book.products, leaves[leaf]),
            "sub_product": _names(book.sub_products, sub_product),
            "issue": _names([issue for _, issue, _ in book.leaves], leaf),
            "sub_issue": _names([sub_issue for _, _, sub_issue in book.leaves], leaf),
            "company": _names(book.companies, company),
            **_customers(book, draws, seed, rows, size),
            "submitted_via": _picked(
                draws.below(1000, size),
                {"Web": 900, "Phone": 945, "Referral": 970, "Postal mail": 990, "Fax": 1000},
            ),
        }
    )


def _microseconds(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    return (seconds + (START - date(1970, 1, 1)).days * 86_400) * 1_000_000


def _narratives(
    book: Grammar,
    preset: Preset,
    draws: Draws,
    product: NDArray[np.int64],
    leaf: NDArray[np.int64],
    company: NDArray[np.int64],
    mill: NDArray[np.int64],
    burst: NDArray[np.bool_],
) -> pa.Array:
    """Choose a pool for each place in each letter, then a sentence of the pool; -1 is no sentence."""
    size, pools = len(product), book.shared
    parts = int(LENGTHS[-1])
    length = LENGTHS[draws.below(len(LENGTHS), size)]
    vague = draws.happens(preset.vague, size)
    doubled = draws.happens(preset.two_products, size)
    other = book.near[book.drawn_near.draw(draws, product)]
    other_leaf = book.drawn_leaves.draw(draws, other)
    says = np.where(burst, book.emerging.pool, book.leaf_pool[leaf])
    own = np.stack(
        [says, book.issue_pool[leaf], book.facts_pool[product], book.opening_pool[product],
         np.full(size, pools["story"])], axis=1,
    )  # fmt: skip
    theirs = np.stack(
        [book.leaf_pool[other_leaf], book.issue_pool[other_leaf], book.facts_pool[other],
         book.opening_pool[other], np.full(size, pools["story"])], axis=1,
    )  # fmt: skip
    kind = np.searchsorted(MIDDLE, draws.below(1000, (size, parts)), side="right")
    kind[vague[:, None] & draws.happens(820, (size, parts))] = STORY
    foreign = doubled[:, None] & draws.happens(430, (size, parts))
    rows = np.arange(size)[:, None]
    middle = np.where(foreign, theirs[rows, kind], own[rows, kind])
    middle[np.arange(parts) >= length[:, None]] = -1

    def some(pool: int | NDArray[np.int64], per_mille: int) -> NDArray[np.int64]:
        return np.where(draws.happens(per_mille, size), pool, -1)

    opening = np.where(vague | draws.happens(250, size), pools["vague"], book.opening_pool[product])
    first = some(opening, 850)
    first[(length < 2) & (first < 0)] = pools["vague"]
    middle[:, : book.mills.shape[1]][mill >= 0] = book.mills[mill[mill >= 0]]
    middle[:, book.mills.shape[1] :][mill >= 0] = -1
    first[(mill >= 0) & draws.happens(850, size)] = -1
    cells = np.column_stack(
        [
            some(pools["greetings"], 250), some(book.about_pool[company], 300), first, middle,
            some(pools["spanish"], 8), some(pools["asks"], 550), some(pools["closings"], 400),
        ]
    )  # fmt: skip
    return _texts(book, preset, draws, cells, mill)


def _texts(
    book: Grammar, preset: Preset, draws: Draws, cells: NDArray[np.int64], mill: NDArray[np.int64]
) -> pa.Array:
    """Choose the sentences of the pools in `cells`, none twice in a letter, and join them."""
    size, parts = cells.shape
    base, stride = draws.below(1 << 20, size), STRIDES[draws.below(len(STRIDES), size)]
    story = book.shared["story"]
    line = np.full((size, parts), -1)
    for column in range(parts):
        pool, before = cells[:, column], _before(cells, column)
        again = (pool >= 0) & (before >= book.count[pool])  # this pool has no more to say
        cells[again, column] = story
        before = np.where(again, _before(cells, column), before)
        silent = (pool < 0) | (before >= book.count[pool])
        line[:, column] = np.where(silent, -1, book.first[pool] + (base + before * stride) % book.count[pool])
    fragment = line * RENDERINGS + draws.below(RENDERINGS, (size, parts))
    style = np.searchsorted(np.array(preset.styles), draws.below(1000, size), side="right")
    style[mill >= 0] = 0
    fragment += (style * (len(book.texts) // STYLES))[:, None]
    fragment[line < 0] = -1
    # A paragraph may end after any sentence, in letters whose writer knows of paragraphs.
    gap = book.first[book.shared["break"]] * RENDERINGS
    ends = draws.happens(300, (size, parts)) & (draws.happens(350, size) | (mill >= 0))[:, None] & (line >= 0)
    both = np.stack([fragment, np.where(ends, gap, -1)], axis=2).reshape(size, -1)
    kept = both >= 0
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    chosen = book.texts.take(pa.array(both[kept]))
    joined = pc.binary_join(
        pa.LargeListArray.from_arrays(pa.array(offsets), chosen), pa.scalar(" ", pa.large_string())
    )
    return pc.utf8_trim_whitespace(joined).cast(pa.string())


def _before(cells: NDArray[np.int64], column: int) -> NDArray[np.int64]:
    """Count how often the pool of this column was used before in the same letter."""
    return np.asarray((cells[:, :column] == cells[:, column : column + 1]).sum(axis=1), np.int64)


def _customers(book: Grammar, draws: Draws, seed: int, rows: int, size: int) -> dict[str, pa.Array]:
    """Draw customers; where one lives and belongs follows from the number, so that it never changes."""
    number = draws.below(min(rows // 2 + 50, 2**31), size)
    # SplitMix64 (Steele, Lea and Flood 2014) of the customer's number.
    mixed = (number.astype(np.uint64) + np.uint64(seed + 1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    parts = [((mixed >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.int64) for part in range(4)]
    where = book.drawn_places.at(parts[0])
    low, high = (np.array([place[i] for place in book.places])[where] for i in (1, 2))
    prefix = low + parts[1] % (high - low + 1)
    full = parts[3] % 100 < 12
    tail = np.where(full, 100 + parts[3] % 100, 0)
    digits = pc.utf8_lpad(pa.array(prefix).cast(pa.string()), 3, "0")
    ends = pc.if_else(pa.array(full), pc.utf8_slice_codeunits(pa.array(tail).cast(pa.string()), 1, 3), "XX")
    return {
        "customer_id": pc.binary_join_element_wise(
            "C", pc.utf8_lpad(pa.array(number).cast(pa.string()), 7, "0"), ""
        ),
        "state": _names([place[0] for place in book.places], where),
        "zip_code": pc.binary_join_element_wise(digits, ends, ""),
        "tags": _picked(
            parts[2] % 1000,
            {"Servicemember": 45, "Older American": 95, "Older American, Servicemember": 103, None: 1000},
        ),
    }


def _names(names: list[str | None] | tuple[str, ...] | list[str], number: NDArray[np.int64]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(number))


def _picked(drawn: NDArray[np.int64], ends: dict[str | None, int] | dict[str, int]) -> pa.Array:
    """Turn draws below a thousand into names; each name ends where it is said."""
    return _names(list(ends), np.searchsorted(np.array(list(ends.values())), drawn, side="right"))
