"""A kafka:// address: what is ours, what the client library's, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.config import Settings
from tallystick.errors import UsageError
from tallystick.scorer.decision import decision_schema
from tallystick.streams.kafka.address import Address
from tallystick.streams.sinks import kafka as sinks
from tallystick.streams.sources import kafka as sources

SECRET = "s3cret&word"
SCHEMA = decision_schema()


def test_the_name_holds_brokers_and_topic_alone() -> None:
    uri = "kafka://b:9093,a/payments?sasl.username=me&sasl.password=s3cret%26word&group=g"
    address = Address.parse(uri, {"group"})
    assert address.name == "kafka://a:9092,b:9093/payments"
    assert address.options == {"group": "g"}
    assert address.properties == {"sasl.username": "me", "sasl.password": SECRET}
    assert SECRET not in repr(address)
    assert address.name == sources.open_stream(uri, Settings()).name


@pytest.mark.parametrize("how", ["variable", "file"])
def test_the_password_comes_from_the_environment(
    how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if how == "variable":
        monkeypatch.setenv("TALLYSTICK_KAFKA_PASSWORD", SECRET)
    else:
        (tmp_path / "password").write_text(SECRET + "\n")
        monkeypatch.setenv("TALLYSTICK_KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    assert Address.parse("kafka://a/t?sasl.username=me", ()).properties["sasl.password"] == SECRET
    assert "sasl.password" not in Address.parse("kafka://a/t", ()).properties
    given = Address.parse("kafka://a/t?sasl.username=me&sasl.password=other", ())
    assert given.properties["sasl.password"] == "other"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("kafka:///t", "names no broker"),
        ("kafka://a", "names no topic"),
        ("kafka://a/t/u", "no name of a topic"),
        ("kafka://a:b/t", '"a:b" is no broker'),
        ("kafka://me:pw@a/t", "takes no user"),
        ("kafka://a/t?group.id=x", "?group=NAME"),
        ("kafka://a/t?isolation.level=read_uncommitted", "Only committed messages"),
        ("kafka://a/t?plugin.library.paths=/tmp/x.so", "runs code"),
        ("kafka://a/t?securty.protocol=SSL", '"security.protocol"'),
        ("kafka://a/t?strat=latest", '"start"'),
        ("kafka://a/t?start=newest", "earliest"),
        ("kafka://a/t?security.protocol=TLS", 'security.protocol="TLS" cannot be used'),
        ("kafka://a/t?fetch.wait.max.ms=soon", 'fetch.wait.max.ms="soon" cannot be used'),
        ("kafka://a/t?format=avro", "registry"),
        ("kafka://a/t?format=avro&registry=nowhere", "http://HOST:PORT"),
    ],
)
def test_a_wrong_address_is_explained(uri: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        sources.open_stream(uri, Settings())
    assert words in str(error.value)
    assert "pw" not in str(error.value)


def test_a_secret_that_does_not_fit_is_not_shown() -> None:
    uri = f"kafka://a/t?security.protocol=SSL&ssl.key.pem={SECRET.replace('&', '%26')}&ssl.certificate.pem=x"
    with pytest.raises(UsageError) as error:
        sources.open_stream(uri, Settings())
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("key=idd", '"id"'),
        ("key=reasons", "several values"),
        ("delivery.timeout.ms=10", "1000"),
        ("create=maybe", "true"),
        ("partitons=3", '"partitions"'),
        ("acks=1", "leave it out"),
        ("transactional.id=x", "leave it out"),
    ],
)
def test_a_wrong_option_of_a_sink_is_explained(options: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        sinks.open_stream(f"kafka://a/t?{options}", SCHEMA, Settings(), stream="fraud")
    assert words in str(error.value)


def test_a_topic_has_no_pace() -> None:
    with pytest.raises(UsageError, match="own pace"):
        sources.open_stream("kafka://a/t", Settings(), rate=100.0)


def test_a_wide_encoding_is_refused() -> None:
    with pytest.raises(UsageError, match="ASCII"):
        sources.open_stream("kafka://a/t", Settings(encoding="utf-16"))
