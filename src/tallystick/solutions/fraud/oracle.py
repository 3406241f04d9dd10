"""What the best model could know: the probability of fraud given all but what the label delay hides.

For data of a simulator with the Handbook's three scenarios. The oracle knows how the simulator works (run
lengths, share and factor of the raised payments, the amount above which all is fraud), how often runs begin,
how much each card spends and how spending scatters, and every label older than the delay with its scenario.
It does not know what the delay hides: later labels, and so runs that began since. It weighs that by Bayes'
rule:

- scenario 1: a payment above the largest genuine amount is fraud;
- scenario 2: a terminal is compromised for 28 days from a midnight on; each day it may begin with equal
  chance;
- scenario 3: a card is compromised for 14 days likewise, and then each payment has a chance of one in three
  to be a fraud of 5 times the amount: the amounts seen since, hidden as their labels are, speak for or
  against it.

For each terminal and card a forward filter over "days since the last beginning" (a hidden Markov model;
Rabiner 1989) takes labels as they become known and amounts as they come. How a card spends is learned from
the whole file, and an amount times 5 is known by its cents, a multiple of 5: so the figure is slightly more
than a fair model could reach, and still chance may pass it by a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tallystick.errors import DataError
from tallystick.evaluation.days import DAY, day_numbers

__all__ = ["World", "oracle_of", "oracle_scores"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SURE = 1e9  # odds of what cannot be otherwise; not infinite, so that a run from midday on stays a run
LEAST = 1e-40  # no chance is smaller: what is nearly impossible may turn out true, and tiny numbers are slow
BINS_PER_MEAN, WIDEST = 20, 40  # the histogram of amounts in units of the card's mean


@dataclass(frozen=True, slots=True)
class World:
    """How the simulator makes fraud: names of its scenarios, lengths of runs in days, share and factor.

    >>> World().terminal_days
    28
    """

    high_amount: tuple[str, ...] = ("1", "high_amount")
    terminal: tuple[str, ...] = ("2", "compromised_terminal")
    customer: tuple[str, ...] = ("3", "compromised_customer")
    terminal_days: int = 28
    customer_days: int = 14
    share: float = 1 / 3
    factor: float = 5.0


def oracle_scores(
    time: ArrayLike,
    card: ArrayLike,
    terminal: ArrayLike,
    amount: ArrayLike,
    truth: ArrayLike,
    scenario: ArrayLike | None,
    delay: float = 7.0,
    *,
    zone: str = "UTC",
    world: World | None = None,
) -> Floats | None:
    """Give each row the best probability of fraud that a model could have had.

    `time` int64 microseconds UTC; `card` and `terminal` codes from 0 (-1: none); `amount` float64 in major
    units; `truth` bool; `scenario` names (text, or numbers as they are written), read only where `truth`;
    `delay` days until a label is known. Give the whole file: runs need their past. None where nothing says
    how fraud was made: no scenario, no fraud, or a fraud of a scenario that `world` does not have. Raises
    DataError when the columns differ in length.

    >>> scores = oracle_scores([0, DAY], [0, 0], [0, 1], [10.0, 900.0], [False, True], [None, "1"])
    >>> scores.round(3).tolist()
    [0.0, 1.0]
    """
    if scenario is None:
        return None
    known = world or World()
    times, frauds = np.asarray(time, np.int64), np.asarray(truth, np.bool_)
    cards, terminals = np.asarray(card, np.int64), np.asarray(terminal, np.int64)
    amounts = np.nan_to_num(np.asarray(amount, np.float64))
    names = np.asarray(scenario, object)
    if len({len(column) for column in (times, frauds, cards, terminals, amounts, names)}) > 1:
        raise DataError("The columns that an oracle reads differ in length.")
    high, run, raised = (
        _named(names, frauds, which) for which in (known.high_amount, known.terminal, known.customer)
    )
    if not frauds.any() or not (high | run | raised)[frauds].all():
        return None
    day = day_numbers(times, zone)
    wait = round(delay * DAY)
    refund = (amounts < 0) & (not frauds[amounts < 0].any())  # no scenario touches them, unless one does here
    beyond = amounts > amounts[~frauds].max(initial=0) if high.any() else np.zeros(len(times), np.bool_)

    # Terminals: every payment of a run is fraud, so a label settles its day; amounts say nothing.
    settled = np.where(run, SURE, np.where(raised | refund, 1.0, 1 / SURE))
    rate = _begins(run, day, known.terminal_days, 1.0)
    by_terminal = _filtered(
        terminals, times, day, settled, np.ones(len(times)), rate, known.terminal_days, wait
    )

    # Cards: in a run a payment is a raised one by `share`; outside it never is.
    usual, lifted = _spending(cards, amounts, raised, known.factor)
    odds = np.where(refund, 0.0, known.share * lifted / np.maximum(usual, 1e-300))
    settled = np.where(raised, SURE, np.where(refund, 1.0, 1 - known.share))
    hidden = np.where(refund, 1.0, np.clip(1 - known.share + odds, 1 / SURE, SURE))
    rate = _begins(raised, day, known.customer_days, known.share)
    in_run = _filtered(cards, times, day, settled, hidden, rate, known.customer_days, wait)
    by_card = in_run * odds / (in_run * odds + 1 - in_run * known.share)
    score = 1 - (1 - np.where(refund, 0.0, by_terminal)) * (1 - by_card)
    return np.asarray(np.where(beyond, 1.0, np.clip(score, 0.0, 1.0)))


def oracle_of(
    table: pa.RecordBatch,
    *,
    time: Ints,
    entity: Ints,
    amount: Floats,
    truth: NDArray[np.bool_],
    scenario: NDArray[np.object_],
    delay: float,
    zone: str,
) -> Floats | None:
    """Give the oracle's score of each row of a table; None where the rows have no terminals.

    The other columns are those of `oracle_scores`.
    """
    name = "terminal_id"
    if name not in table.schema.names or table.column(name).null_count == len(table):
        return None
    indices = table.column(name).dictionary_encode().indices.cast(pa.int64()).fill_null(-1)
    terminal = indices.to_numpy(zero_copy_only=False).copy()
    alone = terminal < 0  # a payment without a terminal has one of its own
    terminal[alone] = terminal.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return oracle_scores(time, entity, terminal, amount, truth, scenario, delay, zone=zone)


def _named(
    names: NDArray[np.object_], frauds: NDArray[np.bool_], wanted: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Say which frauds are of one of the scenarios."""
    found = np.zeros(len(names), np.bool_)
    rows = np.flatnonzero(frauds)
    found[rows] = [str(name) in wanted for name in names[rows].tolist()]
    return found


def _begins(frauds: NDArray[np.bool_], day: Ints, length: int, share: float) -> float:
    """Estimate how often a run begins, for each entity and day.

    A payment is in a run if one began on one of the `length` days up to its own, as far as the file goes
    back.
    """
    chances = np.minimum(day - day.min() + 1, length).sum() * share
    return float(min(frauds.sum() / chances, 0.5))


def _spending(
    cards: Ints, amounts: Floats, raised: NDArray[np.bool_], factor: float
) -> tuple[Floats, Floats]:
    """Give the density of each amount, as the card's own spending and as a raised one.

    All cards scatter alike around their mean: one histogram of amount over mean, smoothed in its tail. The
    mean is drawn to that of all cards with the weight of one payment.
    """
    natural = ~raised & (cards >= 0)
    size = int(cards.max(initial=-1)) + 2
    code = np.where(cards < 0, size - 1, cards)
    overall = amounts[natural].mean() if natural.any() else 1.0
    total = np.bincount(code[natural], weights=amounts[natural], minlength=size)
    count = np.bincount(code[natural], minlength=size)
    mean = np.maximum((total + overall) / (count + 1), 1e-9)[code]
    ratio = np.maximum(amounts, 0) / mean
    top = WIDEST * BINS_PER_MEAN

    def place(values: Floats) -> Ints:
        return np.minimum(values * BINS_PER_MEAN, top).astype(np.int64)

    tally = np.bincount(place(ratio[natural]), minlength=top + 1).astype(np.float64)
    tail = 1 / (1 + np.arange(top + 1) / BINS_PER_MEAN) ** 2 / BINS_PER_MEAN
    density = (tally + tail) / (tally.sum() + tail.sum())
    lifted = density[place(ratio / factor)] / factor
    # What was multiplied by 5 is a multiple of 5 cents, as one genuine amount in five is.
    cents = np.rint(amounts * 100)
    multiple = np.abs(cents - factor * np.rint(cents / factor)) < 1e-6
    if multiple[raised].all():
        lifted = np.where(multiple, lifted / max(float(multiple[natural].mean()), 1e-3), 0.0)
    return density[place(ratio)], lifted


def _filtered(
    entity: Ints,
    time: Ints,
    day: Ints,
    settled: Floats,
    hidden: Floats,
    rate: float,
    length: int,
    delay: int,
) -> Floats:
    """Give the probability that each row's entity is in a run, from what is known before the row."""
    order = np.lexsort((time, entity))
    codes = entity[order]
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1])[: len(codes)])
    out = np.zeros(len(codes))
    if rate > 0 and len(codes):
        bounds = np.append(starts, len(codes)).astype(np.int64)
        columns = (time[order], day[order], settled[order], hidden[order])
        _filter(bounds, *columns, rate, length, delay, int(day.min()) - 1, out)
    found = np.empty_like(out)
    found[order] = out
    found[entity < 0] = 0.0
    return found


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _pass_days(state: Floats, days: int, rate: float) -> None:
    """Let days go by: state k is "the last run began k days ago", the last one "longer ago, or never"."""
    if days == 0:
        return
    last = len(state) - 1
    stays = (1 - rate) ** days  # no run began on any of the days
    older = state[last]
    for k in range(max(0, last - days), last):
        older += state[k]
    state[last] = older * stays
    for k in range(last - 1, days - 1, -1):
        state[k] = state[k - days] * stays
    began = rate
    for k in range(min(days, last)):
        state[k] = began
        began *= 1 - rate
    if days > last:
        state[last] += began / rate - stays  # runs that began and ended meanwhile


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _weigh(state: Floats, odds: float) -> None:
    """Take in a payment that is `odds` times as likely in a run as outside of one."""
    last = len(state) - 1
    whole = state[last]
    for k in range(last):
        state[k] *= odds
        whole += state[k]
    each = 1 / whole
    for k in range(last + 1):
        state[k] = max(state[k] * each, LEAST)


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _filter(
    bounds: Ints,
    time: Ints,
    day: Ints,
    settled: Floats,
    hidden: Floats,
    rate: float,
    length: int,
    delay: int,
    origin: int,
    out: Floats,
) -> None:
    base = np.empty(length + 1)
    state = np.empty(length + 1)
    for group in range(len(bounds) - 1):
        begin, end = bounds[group], bounds[group + 1]
        base[:] = 0.0
        base[length] = 1.0
        at = origin  # `base` is what is known on this day, before the rows from `fresh` on
        fresh = begin
        known = begin  # labels of the rows before it are known
        for row in range(begin, end):
            while known < row and time[known] <= time[row] - delay:
                known += 1
            # Days whose labels are all known go into the base for good.
            while known > begin and fresh < known and day[fresh] < day[known - 1]:
                _pass_days(base, day[fresh] - at, rate)
                at = day[fresh]
                _weigh(base, settled[fresh])
                fresh += 1
            state[:] = base
            now = at
            for seen in range(fresh, row):
                odds = settled[seen] if seen < known else hidden[seen]
                if odds != 1.0:
                    _pass_days(state, day[seen] - now, rate)
                    now = day[seen]
                    _weigh(state, odds)
            _pass_days(state, day[row] - now, rate)
            inside = 0.0
            for k in range(length):
                inside += state[k]
            out[row] = inside
