"""Products and sub-products by the names that the CFPB has used since August 2023.

The bureau's form had three lists of products: from 2011, from 24 April 2017 and from 24 August 2023. A
product that only changed its name gets the present one; one that was split, or that gave a sub-product away,
goes where its sub-product went. What no list knows, and what was split where no sub-product decides, stays as
it is. Source: the release notes and the field reference of the Consumer Complaint Database
(consumerfinance.gov).
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np
import pyarrow as pa

__all__ = ["PRODUCTS", "as_text", "harmonise", "place"]

CHECKING: Final = "Checking or savings account"
CARD: Final = "Credit card"
REPORTING: Final = "Credit reporting or other personal consumer reports"
COLLECTION: Final = "Debt collection"
MANAGEMENT: Final = "Debt or credit management"
MONEY: Final = "Money transfer, virtual currency, or money service"
MORTGAGE: Final = "Mortgage"
ADVANCE: Final = "Payday loan, title loan, personal loan, or advance loan"
PREPAID: Final = "Prepaid card"
STUDENT: Final = "Student loan"
VEHICLE: Final = "Vehicle loan or lease"

#: The present list.
PRODUCTS: Final = (
    CHECKING, CARD, REPORTING, COLLECTION, MANAGEMENT, MONEY, MORTGAGE, ADVANCE, PREPAID, STUDENT, VEHICLE,
)  # fmt: skip

#: Earlier name → present name, whatever the sub-product, unless _MOVED has it.
_RENAMED: Final = {
    "Bank account or service": CHECKING,
    "Credit reporting": REPORTING,
    "Credit reporting, credit repair services, or other personal consumer reports": REPORTING,
    "Money transfers": MONEY,
    "Virtual currency": MONEY,
    "Payday loan": ADVANCE,
    "Payday loan, title loan, or personal loan": ADVANCE,
}

#: Split for good: without a deciding sub-product these stay, in one spelling.
_SPLIT: Final = ("Consumer Loan", "Credit card or prepaid card", "Other financial service")

#: Product → sub-product → the product that it belongs to now.
_MOVED: Final = {
    "Consumer Loan": {
        "Vehicle loan": VEHICLE,
        "Vehicle lease": VEHICLE,
        "Installment loan": ADVANCE,
        "Personal line of credit": ADVANCE,
        "Pawn loan": ADVANCE,
        "Title loan": ADVANCE,
    },
    "Credit card or prepaid card": {
        "General-purpose credit card or charge card": CARD,
        "Store credit card": CARD,
        "General-purpose prepaid card": PREPAID,
        "Gift card": PREPAID,
        "Government benefit card": PREPAID,
        "Payroll card": PREPAID,
        "Student prepaid card": PREPAID,
    },
    "Credit reporting, credit repair services, or other personal consumer reports": {
        "Credit repair services": MANAGEMENT,
    },
    "Other financial service": {
        "Credit repair": MANAGEMENT,
        "Debt settlement": MANAGEMENT,
        "Check cashing": MONEY,
        "Foreign currency exchange": MONEY,
        "Money order": MONEY,
        "Traveler's/Cashier's checks": MONEY,
        "Refund anticipation check": ADVANCE,
    },
    MONEY: {"Debt settlement": MANAGEMENT, "Refund anticipation check": ADVANCE},
}

_CHECKS: Final = "Money order, traveler's check or cashier's check"

#: Present product → earlier sub-product → its present name, where the thing itself is the same. Kinds that a
#: later list joined into a wider one (fixed and adjustable mortgages) keep their name, which says more.
_SUB_RENAMED: Final = {
    CHECKING: {
        "(CD) Certificate of deposit": "CD (Certificate of Deposit)",
        "Other bank product/service": "Other banking product or service",
    },
    COLLECTION: {
        "Auto": "Auto debt",
        "Credit card": "Credit card debt",
        "Federal student loan": "Federal student loan debt",
        "Medical": "Medical debt",
        "Mortgage": "Mortgage debt",
        "Non-federal student loan": "Private student loan debt",
        "Other (i.e. phone, health club, etc.)": "Other debt",
        "Other (phone, health club, etc.)": "Other debt",
        "Payday loan": "Payday loan debt",
    },
    MANAGEMENT: {"Credit repair": "Credit repair services"},
    MONEY: {
        "Check cashing": "Check cashing service",
        "Money order": _CHECKS,
        "Traveler's check or cashier's check": _CHECKS,
        "Traveler's/Cashier's checks": _CHECKS,
    },
    MORTGAGE: {
        "Home equity loan or line of credit": "Home equity loan or line of credit (HELOC)",
        "Other mortgage": "Other type of mortgage",
    },
    ADVANCE: {"Refund anticipation check": "Tax refund anticipation loan or check"},
    PREPAID: {
        "General purpose card": "General-purpose prepaid card",
        "Gift or merchant card": "Gift card",
        "Government benefit payment card": "Government benefit card",
    },
    STUDENT: {"Non-federal student loan": "Private student loan"},
    VEHICLE: {"Vehicle lease": "Lease", "Vehicle loan": "Loan"},
}


def _fold(name: str) -> str:
    """Forgive case, spacing and the shape of apostrophes."""
    return " ".join(name.replace("\u2019", "'").split()).casefold()


_PLACE: Final = {
    **{_fold(name): name for name in (*PRODUCTS, *_SPLIT)},
    **{_fold(old): new for old, new in _RENAMED.items()},
}
_MOVES: Final = {
    (_fold(product), _fold(sub)): new for product, subs in _MOVED.items() for sub, new in subs.items()
}
_SUBS: Final = {
    (product, _fold(old)): new for product, subs in _SUB_RENAMED.items() for old, new in subs.items()
}

_memo: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = {}
_MEMO: Final = 20_000


def as_text() -> str:
    """Return the tables as text: what the contract's fingerprint covers."""
    return json.dumps([PRODUCTS, _RENAMED, _SPLIT, _MOVED, _SUB_RENAMED], sort_keys=True)


def place(product: str | None, sub_product: str | None) -> tuple[str | None, str | None]:
    """Return the present names of a product and its sub-product; None is unknown and stays so.

    >>> place("Consumer loan", "Vehicle lease")
    ('Vehicle loan or lease', 'Lease')
    >>> place("Credit card or prepaid card", None)
    ('Credit card or prepaid card', None)
    """
    if product is None:
        return None, sub_product
    old = _fold(product)
    sub = None if sub_product is None else _fold(sub_product)
    now = _PLACE.get(old, product)
    if sub is None:
        return now, None
    now = _MOVES.get((old, sub)) or _MOVES.get((_fold(now), sub), now)
    return now, _SUBS.get((now, sub), sub_product)


def _remembered(product: str | None, sub_product: str | None) -> tuple[str | None, str | None]:
    pair = product, sub_product
    now = _memo.get(pair)
    if now is None:
        if len(_memo) >= _MEMO:
            _memo.clear()
        now = _memo[pair] = place(product, sub_product)
    return now


def harmonise(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Give `product` and `sub_product`, where they are there, their present names, pair by pair."""
    names = rows.schema.names
    if "product" not in names:
        return rows
    product = rows.column("product")
    sub = rows.column("sub_product") if "sub_product" in names else pa.nulls(len(product), pa.string())
    if rows.num_rows < 48:  # a dictionary costs more than it saves
        old = list(zip(product.to_pylist(), sub.to_pylist(), strict=True))
        which = None
    else:
        old, which = _pairs(product, sub)
    new = [_remembered(*pair) for pair in old]
    if new == old:
        return rows
    for column, name in enumerate(("product", "sub_product")):
        if name in names:
            array = pa.array([pair[column] for pair in new], pa.string())
            at = names.index(name)
            rows = rows.set_column(at, rows.schema.field(at), array if which is None else array.take(which))
    return rows


def _pairs(product: pa.Array, sub: pa.Array) -> tuple[list[tuple[str | None, str | None]], pa.Array]:
    """Return the distinct pairs, and for each row which of them it has."""
    first, second = (a.dictionary_encode(null_encoding="encode") for a in (product, sub))
    width = len(second.dictionary)
    code = first.indices.to_numpy().astype(np.int64) * width + second.indices.to_numpy()
    distinct, which = np.unique(code, return_inverse=True)
    products, subs = first.dictionary.to_pylist(), second.dictionary.to_pylist()
    return [(products[c // width], subs[c % width]) for c in distinct], pa.array(which)
