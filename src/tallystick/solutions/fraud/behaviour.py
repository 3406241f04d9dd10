"""What cards do in windows: rolling averages and counts, and alerts on behaviour within five minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import narwhals as nw

from tallystick.config import Settings
from tallystick.tasks import Analysis

__all__ = ["behaviour_analyses"]

Frame: TypeAlias = nw.LazyFrame[Any]
Rows: TypeAlias = Sequence[Mapping[str, Any]]

#: One declaration for all of them, so that the payments are replayed once.
WINDOWS: Final[dict[str, Any]] = {
    "features": [
        {"entity": "customer_id", "windows": ["1d", "7d", "30d"], "aggregates": ["count", "mean amount"]},
        {
            "entity": "customer_id",
            "windows": ["5m"],
            "aggregates": ["count", "sum amount"],
            "mode": "exact",
            "include_current": True,
            "suffix": "now",
        },
    ]
}
COUNT, SUM = "customer_id__count__5m__now", "customer_id__sum_amount__5m__now"
PAST, USUAL = "customer_id__count__30d", "customer_id__mean_amount__30d"
ROLLING = {
    **{f"customer_id__count__{w}": f"count_{w}" for w in ("1d", "7d", "30d")},
    **{f"customer_id__mean_amount__{w}": f"mean_{w}" for w in ("1d", "7d", "30d")},
}
MANY = 5  # payments in five minutes
MUCH = 5  # times what a payment of the card usually is
KNOWN = 5  # payments in 30 days, from which on it is known what is usual
MOST = 200
BOTH, OFTEN, HIGH = "many and high", "many payments", "high amount"


def rolling(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001 - the same call for every analysis
    """Payments and amounts day by day, beside what their cards did on average in the windows before."""
    held = frame.filter(~nw.col("date").is_null() & ~nw.col("amount").is_null())
    means = [nw.col(name).mean().alias(short) for name, short in ROLLING.items()]
    found = held.group_by("date", "currency").agg(
        nw.len().alias("payments"), nw.col("amount").sum().alias("amount"), *means
    )
    # Rounded, so that the order in which an engine adds does not show.
    found = found.with_columns(
        nw.col("payments").cast(nw.Int64),
        nw.col("amount").round(3),
        *(nw.col(short).round(6) for short in ROLLING.values()),
    ).with_columns((nw.col("amount") / nw.col("payments")).alias("mean_amount"))
    names = ("date", "currency", "payments", "amount", "mean_amount", *ROLLING.values())
    return found.select(*names).sort("date", "currency")


def flagged(frame: Frame) -> Frame:
    """Payments with which their card did much in five minutes, and why."""
    times = nw.col(SUM) / nw.col(USUAL)
    usual = (nw.col(PAST) >= KNOWN) & (nw.col(USUAL) > 0)
    often = nw.col(COUNT) >= MANY
    high = nw.col("times_usual") >= MUCH
    return (
        frame.filter(~nw.col("customer_id").is_null())
        .with_columns(
            nw.when(usual).then(times).otherwise(nw.lit(None, dtype=nw.Float64)).alias("times_usual")
        )
        .filter(often | high)
        .with_columns(
            nw.when(often & high)
            .then(nw.lit(BOTH))
            .otherwise(nw.when(often).then(nw.lit(OFTEN)).otherwise(nw.lit(HIGH)))
            .alias("kind")
        )
    )


def alerts(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """Cards that did much in five minutes: one line for each card and day, the most payments first."""
    found = (
        flagged(frame)
        .group_by("customer_id", "currency", "date")
        .agg(
            nw.col("event_time").min().alias("time"),
            nw.col(COUNT).max().cast(nw.Int64).alias("payments"),
            nw.col(SUM).max().round(3).alias("amount"),
            nw.col("times_usual").max().alias("times_usual"),
            nw.len().alias("alerts"),
        )
        .with_columns(nw.col("alerts").cast(nw.Int64), nw.col("times_usual").round(1))
    )
    often = nw.concat_str(nw.col("payments").cast(nw.String), nw.lit(" payments in 5 minutes"))
    whole = nw.col("times_usual").floor().cast(nw.Int64).cast(nw.String)
    high = nw.concat_str(whole, nw.lit(" times the usual amount of this card"))
    many, much = nw.col("payments") >= MANY, nw.col("times_usual") >= MUCH
    reason = (
        nw.when(many & much)
        .then(nw.concat_str(often, nw.lit(", "), high))
        .otherwise(nw.when(many).then(often).otherwise(nw.concat_str(high, nw.lit(" in 5 minutes"))))
    )
    kind = (
        nw.when(many & much)
        .then(nw.lit(BOTH))
        .otherwise(nw.when(many).then(nw.lit(OFTEN)).otherwise(nw.lit(HIGH)))
    )
    found = found.with_columns(reason.alias("reason"), kind.alias("kind"))
    found = found.sort(
        "payments",
        "times_usual",
        "amount",
        "customer_id",
        "time",
        descending=[True, True, True, False, False],
    ).head(MOST)
    return found.select(
        "time", "customer_id", "reason", "payments", "currency", "amount", "times_usual", "alerts", "kind"
    )


def alerts_by_kind(frame: Frame, settings: Settings) -> Frame:  # noqa: ARG001
    """How many payments and cards such alerts are about, and what of that was fraud where that is known."""
    counts = [nw.len().alias("payments"), nw.col("customer_id").n_unique().alias("cards")]
    labelled = "is_fraud" in frame.collect_schema().names()
    if labelled:
        counts.append(
            nw.when(nw.col("is_fraud") == 1).then(nw.lit(1)).otherwise(nw.lit(0)).sum().alias("frauds")
        )
        counts.append(nw.col("is_fraud").count().alias("known"))
    found = flagged(frame).group_by("kind").agg(*counts)
    whole = ["payments", "cards", *(["frauds", "known"] if labelled else [])]
    found = found.with_columns(*(nw.col(name).cast(nw.Int64) for name in whole))
    if labelled:
        share = nw.when(nw.col("known") > 0).then(nw.col("frauds") / nw.col("known"))
        found = found.with_columns(share.alias("fraud_share")).select(
            "kind", "payments", "cards", "frauds", "fraud_share"
        )
    return found.sort("payments", "kind", descending=[True, False])


def rolling_lines(rows: Rows) -> Any:
    """Draw payments a day, amounts and counts in windows; one currency, that with most payments."""
    from tallystick.figures.series import Line, panels
    from tallystick.figures.theme import BLUE, GREEN, GREY, VERMILION

    sums: dict[str, int] = {}
    for row in rows:
        sums[row["currency"]] = sums.get(row["currency"], 0) + row["payments"]
    code = max(sums, key=lambda one: (sums[one], one)) if sums else ""
    mine = [row for row in rows if row["currency"] == code]
    windows = (("1d", BLUE), ("7d", VERMILION), ("30d", GREEN))

    def column(name: str) -> list[Any]:
        return [row[name] for row in mine]

    return panels(
        column("date"),
        [
            ("Payments a day", [Line("Payments a day", column("payments"), GREY, "bar", words="%{y:,}")]),
            (
                f"Mean amount, {code}",
                [
                    Line("Mean amount of the day", column("mean_amount"), GREY, words="%{y:,.2f}"),
                    *(
                        Line(
                            f"Mean amount, {w} before",
                            column(f"mean_{w}"),
                            colour,
                            words="%{y:,.2f}",
                        )
                        for w, colour in windows
                    ),
                ],
            ),
            (
                "Payments of a card",
                [
                    Line(
                        f"Count, {w} before",
                        column(f"count_{w}"),
                        colour,
                        dash="dot",
                        words="%{y:,.1f}",
                    )
                    for w, colour in windows
                ],
            ),
        ],
        title="Day",
        height=190,
    )


def alert_points(rows: Rows) -> Any:
    """Draw alerts by when they came and how many payments there were."""
    from tallystick.figures.rates import scatter

    return scatter(
        rows,
        "time",
        "payments",
        title="Time",
        words="Payments in 5 minutes",
        kind="kind",
        says=("customer_id", "reason"),
        size="times_usual",
    )


def kinds(rows: Rows) -> Any:
    """Draw payments by the kind of alert."""
    from tallystick.figures.rates import ranked

    says = [("fraud_share", "fraud")] if rows and "fraud_share" in rows[0] else [("cards", "cards")]
    return ranked(rows, "kind", "payments", title="Alert", words="Payments", says=says)


def behaviour_analyses(label: str) -> tuple[Analysis, ...]:  # noqa: ARG001 - said once, where analyses are listed
    """Return the analyses of behaviour in windows."""
    columns = ("event_time", "customer_id", "amount")
    return (
        Analysis(
            name="rolling",
            title="Rolling average and count in windows",
            columns=columns,
            run=rolling,
            note="Day by day and currency by currency: payments, and what the cards that paid did on "
            "average in the 1, 7 and 30 days before each payment (a card's first payment has no "
            "window yet). The first 30 days fill up; a short window that leaves the long ones shows "
            "a change. The figure is of the currency with most payments.",
            windows=WINDOWS,
            figure=rolling_lines,
        ),
        Analysis(
            name="alerts",
            title="Five-minute sliding window: alerts on behaviour",
            columns=columns,
            run=alerts,
            note=f"One line for each card and day on which, within 5 minutes, it made at least {MANY} "
            f"payments, or paid at least {MUCH} times what a payment of it usually is (mean of 30 "
            f"days, from {KNOWN} payments on). Time is the first such moment, alerts how many "
            f"payments had one. At most {MOST}, those with most payments first; "
            "the larger a point, the more times the usual amount. No label is needed.",
            windows=WINDOWS,
            figure=alert_points,
        ),
        Analysis(
            name="alerts_by_kind",
            title="Alerts on behaviour by kind",
            columns=columns,
            run=alerts_by_kind,
            note="All payments with such an alert, and where labels are there what of them was fraud: "
            "whether a rule like it would be worth its work.",
            windows=WINDOWS,
            figure=kinds,
        ),
    )
