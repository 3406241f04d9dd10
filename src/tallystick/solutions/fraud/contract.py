"""What a table of payments looks like, and one of labels that arrive by themselves.

Balances as PaySim writes them are kept and known only after the event: it cancels frauds, so that even the
balances said to be from before give the answer away.
"""

from __future__ import annotations

from dataclasses import replace

from tallystick.contracts import Column, Contract
from tallystick.solutions.fraud.formats import FORMATS

__all__ = ["LABELS", "NEEDED", "TRANSACTIONS"]

_ID = Column(
    "transaction_id",
    "text",
    "Key of the payment",
    aliases=("tx_id", "tran_id", "trans_id", "txn_id", "trans_num", "transaction_number", "payment_id"),
    max_bytes=1_024,
)
_IS_FRAUD = Column(
    "is_fraud",
    "flag",
    "Was it a fraud",
    aliases=("tx_fraud", "fraud", "fraud_flag", "fraud_label", "is_sar", "fraudulent", "is_fraudulent"),
    may_be_blank=True,  # of most payments nobody knows yet
)
_KNOWN_AT = Column(
    "label_known_at",
    "time",
    "When it became known whether it was",
    aliases=(
        *("known_at", "label_time", "label_date", "labelled_at", "reported_at", "reported_date"),
        *("report_date", "fraud_reported_at", "chargeback_date", "chargeback_at", "dispute_date"),
        *("confirmed_at",),
    ),
    after_event=True,
    ranked=True,
)
_BALANCES = tuple(
    Column(name, "number", doc, aliases=(theirs,), after_event=True)
    for name, doc, theirs in (
        (
            "payer_balance_before",
            "Payer's balance before; PaySim undoes frauds, so it tells",
            "oldbalanceOrg",
        ),
        ("payer_balance_after", "Payer's balance after the payment", "newbalanceOrig"),
        (
            "payee_balance_before",
            "Payee's balance before; PaySim undoes frauds, so it tells",
            "oldbalanceDest",
        ),
        ("payee_balance_after", "Payee's balance after the payment", "newbalanceDest"),
    )
)

_SEQUENCE = Column(
    "sequence",
    "text",
    "Recorded order: the number that each entity gave to the event, as JSON (as `score` writes it)",
)

#: One payment a row. A column may go by several names; of those that are ranked the first in order is taken.
TRANSACTIONS = Contract(
    name="fraud",
    version=1,
    columns=(
        _ID,
        Column(
            "event_time",
            "time",
            "When the payment was made",
            aliases=(
                *("tx_datetime", "timestamp", "time", "datetime", "date", "transaction_time"),
                *("transaction_date", "transaction_datetime", "trans_date_trans_time", "tran_timestamp"),
                *("tx_timestamp", "tx_time", "tx_date", "created_at"),
            ),
        ),
        Column(
            "customer_id",
            "text",
            "Who pays: customer, card or account",
            aliases=(
                *("customer", "user_id", "user", "client_id", "cardholder_id", "card_id", "account_id"),
                *("card_number", "cc_num", "payer_id", "payer", "sender_account_id", "sourceNodeId"),
                *("orig_acct", "nameOrig", "sender_id", "from_account"),
            ),
            max_bytes=1_024,
            ranked=True,
        ),
        Column(
            "terminal_id",
            "text",
            "Where it is paid: terminal or merchant",
            aliases=(
                *("terminal", "pos_id", "merchant_id", "merchant", "merchant_name", "shop_id", "store_id"),
            ),
            max_bytes=1_024,
            ranked=True,
        ),
        Column(
            "amount",
            "money",
            "What is paid, in major units; refunds and reversals are negative",
            aliases=("tx_amount", "transaction_amount", "amt", "base_amt", "payment_amount"),
            currency="currency",
        ),
        Column(
            "currency",
            "category",
            "Currency of the amount (ISO 4217); the setting where there is none",
            aliases=("currency_code", "ccy", "transaction_currency", "tx_currency", "amount_currency"),
            ranked=True,
        ),
        Column(
            "place",
            "category",
            "Where it happens, such as a city",
            aliases=("location", "city", "merchant_city", "region", "country", "merchant_country"),
            ranked=True,
        ),
        Column(
            "merchant_category",
            "category",
            "What the merchant sells",
            aliases=("mcc", "merchant_category_code", "category", "merchant_type"),
            ranked=True,
        ),
        Column(
            "channel",
            "category",
            "Channel or type of payment",
            aliases=(
                *("transaction_type", "tx_type", "payment_channel", "payment_type", "payment_method"),
                *("trans_type", "type", "entry_mode"),
            ),
            ranked=True,
        ),
        Column("device", "category", "Type of device", aliases=("device_type", "device_name"), ranked=True),
        Column(
            "device_id",
            "text",
            "Which device, or the address it called from",
            aliases=("device_fingerprint", "fingerprint", "ip_address", "ip"),
            max_bytes=1_024,
            ranked=True,
        ),
        Column(
            "payee_id",
            "text",
            "Who is paid: an account",
            aliases=(
                *("payee", "beneficiary_id", "beneficiary", "payee_account", "payee_iban"),
                *("iban_of_payee", "beneficiary_iban", "receiver_account_id", "receiver_id"),
                *("targetNodeId", "bene_acct", "nameDest", "to_account", "recipient_id"),
            ),
            max_bytes=1_024,
            ranked=True,
        ),
        *(Column(f"v{i}", "number", f"Anonymous component {i}") for i in range(1, 29)),
        *_BALANCES,
        _IS_FRAUD,
        Column(
            "scenario",
            "category",
            "Kind of fraud, where a simulator says it",
            aliases=("tx_fraud_scenario", "fraud_scenario", "fraud_type"),
            after_event=True,
            may_be_blank=True,
        ),
        _KNOWN_AT,
        _SEQUENCE,
    ),
    key="transaction_id",
    event_time="event_time",
    person="customer_id",
    labels=("is_fraud",),
    known_at="label_known_at",
    events=True,
    formats=FORMATS,
)

#: One label a row, for files of labels that arrive by themselves, as chargebacks do.
LABELS = Contract(
    name="fraud labels",
    version=1,
    columns=(_ID, replace(_IS_FRAUD, may_be_blank=False), _KNOWN_AT, _SEQUENCE),
    key="transaction_id",
    labels=("is_fraud",),
    known_at="label_known_at",
    events=True,
)

#: What a file of labels cannot do without, and what for: a file that lists frauds alone still has to say so.
NEEDED = {
    "transaction_id": "which payment the label is of",
    "is_fraud": "yes or no: that a payment is listed does not say that it was a fraud",
}
