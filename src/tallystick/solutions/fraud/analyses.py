"""What payments say by themselves: where frauds fall, what compromised cards share, what is unlike a card.

Written against Narwhals with filter, group_by and join alone, so that every engine runs it. Shares are of
payments whose outcome is known. Amounts are never added over currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import narwhals as nw

from tallystick.config import Settings
from tallystick.solutions.fraud.behaviour import behaviour_analyses
from tallystick.tasks import Analysis

__all__ = ["ANALYSES"]

Frame: TypeAlias = nw.LazyFrame[Any]
Rows: TypeAlias = Sequence[Mapping[str, Any]]

LABEL = "is_fraud"
MOST = 50  # rows of tables of names: more nobody reads
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# From each edge up to the next; steps of 1, 2, 5 where most payments are.
EDGES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000)
BEFORE = timedelta(days=28)  # a compromised terminal of the Fraud Detection Handbook is one for so long
LEAST = 3  # cards: fewer meet at a terminal by chance


def frauds_by(frame: Frame, *keys: str) -> Frame:
    """Count payments whose outcome is known, and the frauds among them, for each value of the keys."""
    known = frame.filter(
        ~nw.any_horizontal(*(nw.col(key).is_null() for key in (*keys, LABEL)), ignore_nulls=True)
    )
    return (
        known.group_by(*keys)
        .agg(nw.len().alias("payments"), nw.col(LABEL).sum().alias("frauds"))
        .with_columns(nw.col("payments").cast(nw.Int64), nw.col("frauds").cast(nw.Int64))
        .with_columns((nw.col("frauds") / nw.col("payments")).alias("fraud_share"))
    )


def by_hour(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001 - the same call for every analysis
    """Frauds by hour of the day, local."""
    return frauds_by(frame, "hour").sort("hour")


def by_weekday(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Frauds by day of the week, local, Monday first."""
    name = nw.lit(DAYS[0])
    for number, day in enumerate(DAYS):
        name = nw.when(nw.col("weekday") == number).then(nw.lit(day)).otherwise(name)
    found = frauds_by(frame, "weekday").with_columns(name.alias("day")).sort("weekday")
    return found.select("day", "payments", "frauds", "fraud_share")


def by_day(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Frauds by date, local."""
    return frauds_by(frame, "date").sort("date")


def by_amount(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Frauds by band of the amount, each currency by itself."""
    band, words = nw.lit(0), nw.lit("below 0 (refunds)")
    for number, (low, high) in enumerate(zip(EDGES, (*EDGES[1:], None), strict=True), 1):
        said = f"{low:,} and more" if high is None else f"{low:,} to {high:,}"
        band = nw.when(nw.col("amount") >= low).then(nw.lit(number)).otherwise(band)
        words = nw.when(nw.col("band") == number).then(nw.lit(said)).otherwise(words)
    found = frauds_by(
        frame.filter(~nw.col("amount").is_null()).with_columns(band.alias("band")), "currency", "band"
    )
    found = found.with_columns(words.alias("amount")).sort("currency", "band")
    return found.select("currency", "amount", "payments", "frauds", "fraud_share")


def by_name(column: str) -> Callable[[Frame, Settings], Frame]:
    """Frauds by the values of a column, those with most frauds first."""

    def run(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
        found = frauds_by(frame, column).filter(nw.col("frauds") > 0)
        return found.sort("frauds", "fraud_share", column, descending=[True, True, False]).head(MOST)

    return run


def by_scenario(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Frauds by kind, each currency by itself, with what they took."""
    there = _names(frame)
    said = nw.when(nw.col("scenario").is_null()).then(nw.lit("(not said)")).otherwise(nw.col("scenario"))
    counts = [nw.len().alias("frauds")]
    if "customer_id" in there:
        counts.append(nw.col("customer_id").n_unique().alias("cards"))
    if "amount" in there:
        counts.append(nw.col("amount").sum().alias("amount"))
    counts += [nw.col("date").min().alias("first"), nw.col("date").max().alias("last")]
    found = frame.filter(nw.col(LABEL) == 1).with_columns(said.alias("scenario"))
    found = found.group_by("scenario", "currency").agg(*counts)
    found = found.with_columns(
        nw.col(name).cast(nw.Int64) for name in ("frauds", "cards") if name in _names(found)
    )
    if "amount" in there:  # cents are whole again after rounding, in whatever order they were added
        found = found.with_columns(nw.col("amount").round(3)).with_columns(
            (nw.col("amount") / nw.col("frauds")).alias("mean_amount")
        )
    return found.sort("frauds", "scenario", "currency", descending=[True, False, False])


def points_of_compromise(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Terminals that many cards used in the 28 days before their first fraud, against what is to be expected.

    Only what is no fraud counts as use: where the frauds themselves are paid, the card was not at risk but
    was taken. Of all pairs of a card and a terminal it ever used some share p lies in those days. A terminal
    that n cards used is then expected to have n p such cards; `deviations` are standard deviations above
    that (binomial).
    """
    fraud = nw.when(nw.col(LABEL).is_null()).then(nw.lit(0)).otherwise(nw.col(LABEL)) == 1
    used = frame.filter(~nw.col("customer_id").is_null() & ~nw.col("terminal_id").is_null() & ~fraud)
    first = (
        frame.filter(fraud & ~nw.col("customer_id").is_null() & ~nw.col("event_time").is_null())
        .group_by("customer_id")
        .agg(nw.col("event_time").min().alias("first_fraud"))
    )
    moments = nw.col("event_time")
    before = used.join(first, on="customer_id", how="inner").filter(
        (moments < nw.col("first_fraud")) & (moments >= nw.col("first_fraud") - nw.lit(BEFORE))
    )
    cards = _cards(used, "cards").join(_cards(before, "later_defrauded"), on="terminal_id", how="left")
    cards = cards.with_columns(
        nw.when(nw.col("later_defrauded").is_null())
        .then(nw.lit(0))
        .otherwise(nw.col("later_defrauded"))
        .cast(nw.Int64)
        .alias("later_defrauded")
    )
    whole = cards.select(nw.col("later_defrauded").sum().alias("hits"), nw.col("cards").sum().alias("pairs"))
    share = nw.col("hits") / nw.col("pairs")
    found = cards.join(whole, how="cross").with_columns((nw.col("cards") * share).alias("expected"))
    found = found.filter(
        (nw.col("later_defrauded") >= LEAST) & (nw.col("later_defrauded") > nw.col("expected"))
    ).with_columns(
        (nw.col("later_defrauded") / nw.col("expected")).alias("lift"),
        (
            (nw.col("later_defrauded") - nw.col("expected"))
            / (nw.col("expected") * (nw.col("pairs") - nw.col("hits")) / nw.col("pairs")).sqrt()
        ).alias("deviations"),
    )
    # All cards that used any terminal may have been defrauded later: then nothing stands out.
    found = found.filter(nw.col("hits") < nw.col("pairs"))
    found = found.sort("deviations", "later_defrauded", "terminal_id", descending=[True, True, False]).head(
        MOST
    )
    return found.select("terminal_id", "later_defrauded", "cards", "expected", "lift", "deviations")


def _cards(frame: Frame, name: str) -> Frame:
    """Count the different cards of each terminal."""
    pairs = frame.group_by("terminal_id", "customer_id").agg(nw.len().alias("times"))
    counted = pairs.group_by("terminal_id").agg(nw.len().alias(name))
    return counted.with_columns(nw.col(name).cast(nw.Int64))


def _names(frame: Frame) -> list[str]:
    return frame.collect_schema().names()


def rates(by: str, title: str, group: str | None = None) -> Callable[[Rows], Any]:
    """Draw shares of fraud by a key; Plotly is loaded when it is drawn."""

    def draw(rows: Rows) -> Any:
        from tallystick.figures.rates import rates as drawn

        names = {"share": "fraud_share", "of": "payments", "hits": "frauds", "words": "Share of fraud"}
        return drawn(rows, by, title=title, group=group, **names)

    return draw


def most_frauds(by: str, title: str) -> Callable[[Rows], Any]:
    """Draw names by their frauds."""

    def draw(rows: Rows) -> Any:
        from tallystick.figures.rates import ranked

        return ranked(rows, by, "frauds", title=title, words="Frauds", says=[("fraud_share", "of payments")])

    return draw


def days(rows: Rows) -> Any:
    """Draw payments, frauds and their share day by day."""
    from tallystick.figures.series import Line, panels
    from tallystick.figures.theme import BLUE, GREY, VERMILION

    def column(name: str) -> list[Any]:
        return [row[name] for row in rows]

    return panels(
        column("date"),
        [
            ("Payments", [Line("Payments", column("payments"), GREY, "bar", words="%{y:,}")]),
            ("Frauds", [Line("Frauds", column("frauds"), VERMILION, "bar", words="%{y:,}")]),
            ("Share of fraud", [Line("Share of fraud", column("fraud_share"), BLUE, words="%{y:.2%}")]),
        ],
        title="Day",
        height=150,
    )


def scenarios(rows: Rows) -> Any:
    """Draw kinds of fraud by how many there are."""
    from tallystick.figures.rates import ranked

    several = len({row["currency"] for row in rows}) > 1
    named = [
        {**row, "kind": row["scenario"].replace("_", " ") + (f", {row['currency']}" if several else "")}
        for row in rows
    ]
    says = [("cards", "cards")] if rows and "cards" in rows[0] else []
    return ranked(named, "kind", "frauds", title="Kind", words="Frauds", says=says)


def compromised(rows: Rows) -> Any:
    """Draw cards defrauded later by terminal, beside what is to be expected."""
    from tallystick.figures.rates import ranked

    says = [("lift", "times expected")]
    words = "Cards defrauded within 28 days after use"
    return ranked(
        rows, "terminal_id", "later_defrauded", title="Terminal", words=words, says=says, beside="expected"
    )


def _named(column: str, what: str, note: str) -> Analysis:
    return Analysis(
        name=f"by_{column.removesuffix('_id').removeprefix('merchant_')}",
        title=f"Fraud by {what}",
        columns=(column, LABEL),
        run=by_name(column),
        note=f"{note} At most {MOST}, those with most frauds first; the share is of their payments whose "
        "outcome is known.",
        figure=most_frauds(column, what.capitalize()),
    )


ANALYSES: tuple[Analysis, ...] = (
    Analysis(
        name="by_hour",
        title="Fraud by hour",
        columns=("event_time", LABEL),
        run=by_hour,
        note="The hour is local to the setting zone. A high share at night with few payments below it is "
        "worth a rule of its own only if those frauds cost much.",
        figure=rates("hour", "Hour of the day"),
    ),
    Analysis(
        name="by_weekday",
        title="Fraud by weekday",
        columns=("event_time", LABEL),
        run=by_weekday,
        note="Weekdays are local to the setting zone. Little difference between them says that staffing "
        "can follow the payments.",
        figure=rates("day", "Day of the week"),
    ),
    Analysis(
        name="by_day",
        title="Fraud by day",
        columns=("event_time", LABEL),
        run=by_day,
        note="Steps and waves show where something began or ended. The last days may look better than "
        "they were: labels arrive late.",
        figure=days,
    ),
    Analysis(
        name="by_amount",
        title="Fraud by amount",
        columns=("amount", LABEL),
        run=by_amount,
        note="Bands in major units, each from its first number up to but without its last; each currency "
        "by itself. Very small amounts with a high share are often cards being tested.",
        figure=rates("amount", "Amount", group="currency"),
    ),
    _named("terminal_id", "terminal", "Where frauds were paid."),
    _named("place", "place", "Where frauds happened."),
    _named("merchant_category", "merchant category", "What the money was taken for."),
    _named("channel", "channel", "By which way frauds came."),
    _named("device", "device", "With which kind of device."),
    Analysis(
        name="by_scenario",
        title="Fraud by scenario",
        columns=("scenario", LABEL),
        run=by_scenario,
        note="The kinds of fraud that the file tells apart, what they took in each currency, and when "
        "they came.",
        figure=scenarios,
    ),
    Analysis(
        name="points_of_compromise",
        title="Points of compromise",
        columns=("event_time", "customer_id", "terminal_id", LABEL),
        run=points_of_compromise,
        note="Terminals that many cards used within the 28 days before their first fraud: where card data "
        "may have been taken. Where the frauds themselves were paid is another table. Expected is what the "
        "number of its cards would give by chance; the lift is how many times that it was, deviations how "
        f"far beyond chance. Few cards give high lifts easily: read both. At least {LEAST} cards; the "
        f"{MOST} that stand out most.",
        figure=compromised,
    ),
    *behaviour_analyses(LABEL),
)
