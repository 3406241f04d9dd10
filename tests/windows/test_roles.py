"""Table roles: columns and labels of any name, and declarations that mean what they always meant."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.windows.conftest import ROLES, declare

from tallystick.contracts import Column, Contract
from tallystick.errors import UsageError
from tallystick.windows import TableRoles, Windows, WindowState
from tallystick.windows.file import Spots

OTHER = TableRoles("at", {"price": "unit"}, ("bounced", "stolen"), {"lost": "stolen"})
DECLARED = {
    "conditions": {
        "large": "amount > 3 * customer_id__mean_amount__7d",
        "late": "known_fraud and amount < 220 and night",
    },
    "features": [
        {"entity": "customer_id", "windows": ["1d", "7d"],
         "aggregates": ["count", "mean amount", "std amount"]},
        {"entity": "terminal_id", "windows": "7d", "delay": "1d", "aggregates": ["risk"]},
        {"entity": "terminal_id", "windows": "7d", "delay": "1d", "aggregates": ["risk"], "where": "large"},
        {"entity": "terminal_id", "windows": "7d", "aggregates": ["count"], "where": "known_fraud"},
        {"entity": "terminal_id", "windows": "7d", "aggregates": ["count"], "where": "late"},
        {"entity": ["customer_id", "terminal_id"], "windows": "7d",
         "aggregates": ["distinct place", "count"]},
    ],
}  # fmt: skip


def rows(names: dict[str, str] | None = None) -> pa.RecordBatch:
    """300 events; names: other names of columns."""
    i = np.arange(300)
    columns = {
        "event_time": pa.array((i * 7_919_000_000) % 10**12 + i * 4 * 10**9).cast(pa.timestamp("us", "UTC")),
        "customer_id": pa.array([None if x == 0 else f"c{x}" for x in i * 31 % 11]),
        "terminal_id": pa.array([None if x == 0 else f"t{x}" for x in i * 17 % 7]),
        "amount": pa.array(i * 7_927 % 90_000 - 200),
        "currency": pa.array([("USD", "JPY", "KWD")[x] for x in i * i % 3]),
        "place": pa.array([("a", "b", "c")[x] for x in i % 3]),
    }
    return pa.RecordBatch.from_pydict({(names or {}).get(name, name): c for name, c in columns.items()})


LABELS = np.arange(300) % 9 == 8


def test_a_declaration_keeps_its_fingerprint_and_its_state() -> None:
    """Bundles and snapshots hold both: these are those of version 0.1."""
    windows = declare(DECLARED)
    assert windows.fingerprint == "ae9c0a4633c5b0a209a27692b5a0698f"
    state = WindowState(windows, "Europe/Berlin")
    state.apply(rows(), LABELS)
    digest = hashlib.sha256()
    for name, array in sorted(state.arrays().items()):
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    assert digest.hexdigest()[:32] == "5069f6a40cf657796a3201d75b3f1e1e"


def renamed(text: Any) -> Any:
    """Put the other table's names into a declaration."""
    if isinstance(text, dict):
        return {key: renamed(value) for key, value in text.items()}
    if isinstance(text, list):
        return [renamed(value) for value in text]
    return text.replace("amount", "price").replace("known_fraud", "known(bounced)")


def test_columns_and_labels_may_have_any_name() -> None:
    ours = WindowState(declare(DECLARED), "Europe/Berlin").apply(rows(), LABELS)
    windows = Windows.of(renamed(DECLARED), OTHER)
    assert windows.columns == ("at", "customer_id", "place", "price", "terminal_id", "unit")
    theirs = rows({"event_time": "at", "amount": "price", "currency": "unit"})
    found = WindowState(windows, "Europe/Berlin").apply(theirs, LABELS)
    assert found.features.tobytes() == ours.features.tobytes()
    assert found.sequence.tobytes() == ours.sequence.tobytes()
    assert found.condition_inputs.tobytes() == ours.condition_inputs.tobytes()


def test_the_contract_names_the_roles() -> None:
    columns = (
        Column("at", "time", "When"), Column("price", "money", "How much", currency="unit"),
        Column("fee", "money", "What for"), Column("unit", "category", "In what"),
        Column("bounced", "flag", "Came back"),
    )  # fmt: skip
    contract = Contract("orders", 1, columns, event_time="at", labels=("bounced",))
    roles = TableRoles.of(contract, {"returned": "bounced"})
    assert roles == TableRoles(
        "at", {"price": "unit", "fee": "currency"}, ("bounced",), {"returned": "bounced"}
    )
    with pytest.raises(ValueError, match="names no label"):
        TableRoles.of(contract, {"returned": "bounced_twice"})


def test_each_label_is_counted_by_its_own_name() -> None:
    entries = [{"entity": "customer_id", "windows": "7d", "aggregates": ["count"], "where": where}
               for where in ("known(bounced)", "known(stolen)", "lost", "either")]  # fmt: skip
    conditions = {"either": "known(bounced) or known(stolen)"}
    windows = Windows.of({"conditions": conditions, "features": entries}, OTHER)
    batch = pa.RecordBatch.from_pydict({
        "at": pa.array([0, 0, 0, 0, 1]).cast(pa.timestamp("us", "UTC")), "customer_id": ["a"] * 5,
    })  # fmt: skip
    codes = np.array([0, 1, 2, 2, 0])
    assert WindowState(windows).apply(batch, codes).features[4].tolist() == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("roles", "entry", "said"),
    [
        (TableRoles(None), {}, "records without an event time"),
        (TableRoles("at"), {"entity": "at"}, "entry 1), entity: the event time cannot be one"),
        (TableRoles("at"), {"aggregates": "risk", "delay": "1d"}, "risk needs a label"),
        (TableRoles("at"), {"where": "known_fraud"}, 'no condition "known_fraud"'),
        (
            TableRoles("at", {"price": "a", "fee": "b"}),
            {"aggregates": ["sum price", "max fee"]},
            "different columns (a, b)",
        ),
    ],
)
def test_what_the_table_lacks_is_said(roles: TableRoles, entry: dict[str, Any], said: str) -> None:
    whole = {"entity": "user", "windows": "1d", "aggregates": "count", **entry}
    with pytest.raises(UsageError) as caught:
        Windows.of({"features": [whole]}, roles, Spots("w.yaml"))
    assert said in str(caught.value)
    assert "w.yaml" in str(caught.value)


def test_an_alias_is_the_same_as_the_label_it_names() -> None:
    def features(where: str) -> bytes:
        entry = {"entity": "terminal_id", "windows": "7d", "aggregates": ["count"], "where": where}
        return WindowState(declare({"features": [entry]})).apply(rows(), LABELS).features.tobytes()

    assert ROLES.main_label == "known_fraud"
    assert features("known(is_fraud)") == features("known_fraud")
