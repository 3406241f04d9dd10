"""Fraud: payments scored while they happen, by what card and terminal did before, with reasons."""

from datetime import timedelta
from pathlib import Path

from tallystick.feature_extraction import Columns, WindowFeatures
from tallystick.solutions.fraud.analyses import ANALYSES
from tallystick.solutions.fraud.card_precision import CardPrecision
from tallystick.solutions.fraud.contract import LABELS, TRANSACTIONS
from tallystick.solutions.fraud.nouns import NOUNS
from tallystick.solutions.fraud.simulator import simulate
from tallystick.solutions.fraud.splits import SPLITS, oracle
from tallystick.solutions.fraud.words import in_words
from tallystick.tasks import Anomaly, Binary, ReviewAndDecline, Solution, Table, Task

__all__ = ["SOLUTION"]

COLUMNS = Columns(
    numbers=("amount", *(f"v{i}" for i in range(1, 29))),
    calendar=("hour", "weekday", "night", "weekend"),
    categories=("place", "merchant_category", "channel", "device"),
    identified_by=("transaction_id", "event_time", "customer_id", "terminal_id", "payee_id", "amount", "v1"),
)
FEATURES = (COLUMNS, WindowFeatures())

# Found on the Handbook's payments, where 100,000 good payments teach as much as ten times as many.
BOOSTING = {
    "n_estimators": 150,
    "max_depth": 4,
    "learning_rate": 0.08,
    "subsample": 0.7,
    "colsample_bytree": 0.6,
    "min_child_weight": 0.5,
    "min_child_events": 0.003,
    "reg_lambda": 1.0,
    "negatives": 100_000,
}

# What a detector looks at: few columns, since each one that says nothing hides those that do, and of each
# only more than usual. Chosen on weeks of the Handbook's payments that come before those it tests.
ODD = (
    *COLUMNS.numbers,
    "customer_id__ratio_trimmed_amount__90d",
    "customer_id__count__14d__very_high",
    "terminal_id__risk__7d__ordinary",
)
ISOLATION = {"rows": 4096, "rising": "amount*,*__ratio*,*__count__*high,*__risk__*"}

LIMITS = """
Not for accusing anyone: it says which payments look like those that turned out to be frauds. What was
declined has no outcome, so a model that is trained again on what the last one let through sees less and less
of what that one stopped; keep a small share of declined payments under review. A card or a terminal without
history is judged by its first payments alone.
"""

SOLUTION = Solution(
    name="fraud",
    title="Card payments: score, stop, explain",
    contract=TRANSACTIONS,
    tasks=(
        Task(
            name="fraud",
            target=Binary("is_fraud", at_stake="amount", event_kind="scenario"),
            features=FEATURES,
            learner="gradient_boosting",
            params={"gradient_boosting": BOOSTING},
            policy=ReviewAndDecline(),
            split="time",
            purpose="Says how likely a payment is a fraud, from the payment and from behaviour before it.",
            limits=LIMITS,
        ),
        Task(
            name="anomaly",
            target=Anomaly(judge="is_fraud", at_stake="amount", event_kind="scenario"),
            features=FEATURES,
            default_features=ODD,
            learner="isolation_forest",
            params={"isolation_forest": ISOLATION},
            policy=ReviewAndDecline(),
            split="time",
            purpose="Says how odd a payment is among those before it, without any label.",
            limits=LIMITS,
        ),
    ),
    simulate=simulate,
    demo_rows=30_000,
    demo_later=12_000,
    try_rows=3_000,
    try_preset="handbook",
    windows=Path(__file__).with_name("windows.yaml"),
    rules=Path(__file__).with_name("rules.yaml"),
    tables=(Table("labels", LABELS, role="labels", on="transaction_id"),),
    label_aliases={"known_fraud": "is_fraud"},
    label_delay=timedelta(days=7),
    horizon=timedelta(days=90),
    reason_text=in_words,
    analyses=ANALYSES,
    splits=SPLITS,
    nouns=NOUNS,
    measures=(CardPrecision(),),
    oracle=oracle,
)
