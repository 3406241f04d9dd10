"""Avro messages and a schema registry, over real HTTP."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pyarrow as pa
import pytest
from tests.servers.registry import Registry as Server

from tallystick.errors import TallystickError
from tallystick.scorer.decision import decision_schema
from tallystick.streams.kafka import registry as module
from tallystick.streams.kafka.avro_values import AvroValues, AvroWriter
from tallystick.streams.kafka.registry import Registry

UTC = dt.UTC
PAYMENT = {
    "type": "record",
    "name": "Payment",
    "namespace": "bank",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {
            "name": "seen",
            "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}],
            "default": None,
        },
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "score", "type": "double"},
        {"name": "count", "type": ["int", "null"]},
        {"name": "card", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["in", "out"]}},
        {"name": "either", "type": ["null", "string", "long"]},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "raw", "type": "bytes"},
        {"name": "good", "type": "boolean"},
    ],
}
ROW = {
    "id": "p1",
    "at": dt.datetime(2024, 2, 3, 4, 5, 6, 789000, UTC),
    "seen": dt.datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    "local": dt.datetime(2024, 2, 3, 4, 5, 6, 7),
    "day": dt.date(2024, 2, 29),
    "clock": dt.time(1, 2, 3, 4000),
    "amount": Decimal("-1234567.80"),
    "score": 0.1,
    "count": None,
    "card": UUID(int=7),
    "kind": "out",
    "either": 5,
    "tags": ["a", "é"],
    "raw": b"\x00\xff",
    "good": True,
}


def written(number: int, schema: Any, row: Any) -> bytes:
    stream = io.BytesIO()
    stream.write(b"\0" + number.to_bytes(4, "big"))
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), row)
    return stream.getvalue()


def simple(*fields: tuple[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}


@pytest.fixture
def values(registry: Server) -> AvroValues:
    return AvroValues(Registry(registry.url))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01))


def test_each_type_is_what_it_was(registry: Server, values: AvroValues) -> None:
    number = registry.add("payments-value", PAYMENT)
    rows = values.rows([written(number, PAYMENT, ROW)])
    found = rows.batch.to_pylist()[0]
    assert found == ROW | {
        "clock": "01:02:03.004",
        "card": str(UUID(int=7)),
        "either": "5",
        "tags": '["a","é"]',
    }
    kinds = {field.name: str(field.type) for field in rows.batch.schema}
    assert kinds["at"] == "timestamp[ms, tz=UTC]"
    assert kinds["seen"] == "timestamp[us, tz=UTC]"
    assert kinds["local"] == "timestamp[us]"
    assert kinds["amount"] == "decimal128(9, 2)"
    assert kinds["count"] == "int32"


def test_times_beyond_the_years_of_python(registry: Server, values: AvroValues) -> None:
    schema = simple(("at", {"type": "long", "logicalType": "timestamp-millis"}))
    number = registry.add("s", schema)
    rows = values.rows([written(number, simple(("at", "long")), {"at": 10**15})])
    assert rows.batch.column("at").cast(pa.int64()).to_pylist() == [10**15]


def test_a_schema_is_fetched_once(registry: Server, values: AvroValues) -> None:
    schema = simple(("a", "int"))
    number = registry.add("s", schema)
    for _ in range(3):
        assert values.rows([written(number, schema, {"a": 1})] * 2).batch.num_rows == 2
    assert registry.asked == [f"GET /schemas/ids/{number}"]


def test_schemas_that_mix_keep_the_order(registry: Server, values: AvroValues) -> None:
    old, new = simple(("a", "int")), simple(("a", "string"), ("b", ["null", "long"]))
    first, second = registry.add("s", old), registry.add("s", new)
    rows = values.rows(
        [
            written(first, old, {"a": 1}),
            written(second, new, {"a": "x", "b": 2}),
            None,
            written(first, old, {"a": 3}),
        ]
    )
    assert rows.batch.to_pylist() == [{"a": "1", "b": None}, {"a": "x", "b": 2}, {"a": "3", "b": None}]
    assert rows.places.tolist() == [0, 1, 3]


def test_what_is_no_avro_is_broken_alone(registry: Server, values: AvroValues) -> None:
    schema = simple(("a", "string"), ("d", {"type": "bytes", "logicalType": "decimal", "precision": 3}))
    number = registry.add("s", schema)
    other = registry.add("t", "string")
    proto = registry.add("u", {}, schemaType="PROTOBUF")
    good = written(number, schema, {"a": "x", "d": Decimal(7)})
    odd = written(number, simple(("a", "string"), ("d", "bytes")), {"a": "x", "d": b"\x7f\xff\xff"})
    bad = [b'{"a": 1}', b"", b"\0\0", b"\0\0\0\0\x63x", good[:-1], good + b"x", odd]
    bad += [b"\0" + n.to_bytes(4, "big") + b"\x02x" for n in (other, proto)]
    rows = values.rows([good, *bad, good])
    assert rows.places.tolist() == [0, len(bad) + 1]
    assert sorted(one.record for one in rows.broken) == list(range(1, len(bad) + 1))
    assert {one.code for one in rows.broken} == {"bad_avro"}
    words = {one.record: one.message for one in rows.broken}
    assert "no schema 99" in words[4]
    assert "PROTOBUF" in words[9]


def test_a_schema_that_comes_late_is_found(
    registry: Server, values: AvroValues, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = simple(("a", "int"))
    message = written(1, schema, {"a": 1})
    assert values.rows([message, message]).batch.num_rows == 0
    assert len(registry.asked) == 1  # not asked again for each message
    registry.add("s", schema)
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 60)
    assert values.rows([message]).batch.num_rows == 1


def test_references_are_followed(registry: Server, values: AvroValues) -> None:
    inner = simple(("x", "int"), name="Inner")
    registry.add("inner", inner)
    outer = simple(("id", "string"), ("in", "Inner"), name="Outer")
    number = registry.add("outer", outer, references=[{"name": "Inner", "subject": "inner", "version": 1}])
    whole = simple(("id", "string"), ("in", inner), name="Outer")
    rows = values.rows([written(number, whole, {"id": "a", "in": {"x": 3}})])
    assert rows.batch.to_pylist() == [{"id": "a", "in": '{"x":3}'}]


@pytest.mark.usefixtures("quick")
def test_a_registry_that_was_away_is_asked_again(registry: Server, values: AvroValues) -> None:
    schema = simple(("a", "int"))
    number = registry.add("s", schema)
    registry.failing = 2
    assert values.rows([written(number, schema, {"a": 1})]).batch.num_rows == 1


@pytest.mark.usefixtures("quick")
def test_a_registry_that_stays_away_stops_the_stream_and_breaks_no_message(registry: Server) -> None:
    message = written(1, simple(("a", "int")), {"a": 1})
    registry.failing = 99
    with pytest.raises(TallystickError, match="503"):
        AvroValues(Registry(registry.url)).rows([message])
    registry.close()
    with pytest.raises(TallystickError, match="does not answer"):
        AvroValues(Registry(registry.url)).rows([message])
    registry._server.server_close()


@pytest.mark.parametrize("how", ["address", "variable", "file"])
def test_it_lets_us_in(how: str, registry: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    registry.login = "me:p@ss"
    registry.add("s", simple(("a", "int")))
    with pytest.raises(TallystickError, match="TALLYSTICK_REGISTRY_AUTH"):
        Registry(registry.url).schema(1)
    url = registry.url
    if how == "address":
        url = url.replace("http://", "http://me:p%40ss@")
    elif how == "variable":
        monkeypatch.setenv("TALLYSTICK_REGISTRY_AUTH", "me:p@ss")
    else:
        (tmp_path / "auth").write_text("me:p@ss\n")
        monkeypatch.setenv("TALLYSTICK_REGISTRY_AUTH_FILE", str(tmp_path / "auth"))
    made = Registry(url)
    assert made.schema(1)["schema"]
    assert "p@ss" not in repr(made) + made.url
    assert "p%40ss" not in repr(made) + made.url


def test_decisions_come_back(registry: Server, values: AvroValues) -> None:
    schema = decision_schema(all_scores=True)
    row: dict[str, Any] = {
        "id": "é1",
        "event_time": dt.datetime(2024, 1, 2, 3, 4, 5, 6, UTC),
        "task": "fraud",
        "label": None,
        "score": 0.25,
        "action": "review",
        "route": None,
        "reasons": [{"feature": "amount", "value": 1.5, "effect": None, "words": "high"}],
        "model": "m",
        "sequence": [("customer_id", 3)],
        "late": False,
        "scores": [("yes", 0.25)],
    }
    writer = AvroWriter(Registry(registry.url), "out", schema)
    messages = writer.values(pa.RecordBatch.from_pylist([row], schema=schema))
    found = values.rows(messages).batch.to_pylist()[0]
    assert found["event_time"] == row["event_time"]
    assert found["sequence"] == '{"customer_id":3}'
    assert found["reasons"] == '[{"feature":"amount","value":1.5,"effect":null,"words":"high"}]'
    assert (found["id"], found["score"], found["label"], found["late"]) == ("é1", 0.25, None, False)
    assert registry.subjects == {"out-value": [1]}
    AvroWriter(Registry(registry.url), "out", schema)
    assert registry.subjects == {"out-value": [1]}
    registry.incompatible = True
    with pytest.raises(TallystickError, match="does not follow"):
        AvroWriter(Registry(registry.url), "out", schema)
