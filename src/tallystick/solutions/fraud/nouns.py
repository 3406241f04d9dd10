"""The words of the fraud solution for reports."""

from __future__ import annotations

from tallystick.report import Nouns

__all__ = ["NOUNS"]

NOUNS = Nouns(
    record="payment",
    records="payments",
    event="fraud",
    events="frauds",
    is_event="fraud",
    entity="card",
    entities="cards",
    other="good",
    stopped="declined",
    actions={"review": "looked at by a person", "decline": "declined"},
    figures={
        "card_precision_at_100": (
            "Card precision at 100",
            "Of the 100 cards a day that score highest, the share that is defrauded; each counts until it is "
            "found.",
        ),
        "card_precision": ("Card precision at 100", "Card precision at 100 of one day."),
    },
    oracle="The oracle knows how the simulator works and all but what the label delay hides: the best that "
    "can be expected of any model here. Chance may pass it by a little.",
)
