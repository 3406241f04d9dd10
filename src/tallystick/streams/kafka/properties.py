"""Properties of the client library: names that a misspelt one may mean, and those that are ours to set."""

from __future__ import annotations

__all__ = ["DECIDED", "KNOWN", "REFUSED", "SECRET"]

#: What is set here, since an answer depends on it → what to do instead.
DECIDED = {
    "bootstrap.servers": "The brokers stand before the topic: kafka://HOST:PORT,HOST:PORT/TOPIC.",
    "metadata.broker.list": "The brokers stand before the topic: kafka://HOST:PORT,HOST:PORT/TOPIC.",
    "group.id": "Name the group as ?group=NAME.",
    "auto.offset.reset": "Say where a first run begins by ?start=earliest or ?start=latest.",
    "isolation.level": "Only committed messages are read: leave it out.",
    "enable.auto.commit": "Positions are kept with the state: leave it out.",
    "enable.auto.offset.store": "Positions are kept with the state: leave it out.",
    "enable.partition.eof": "Leave it out.",
    "enable.idempotence": "Messages are written in transactions, which need it: leave it out.",
    "transactional.id": "It follows from the stream and the topic: leave it out.",
    "delivery.report.only.error": "Leave it out.",
    "acks": "Messages are written in transactions, which need all of them: leave it out.",
    "request.required.acks": "Messages are written in transactions, which need all of them: leave it out.",
}

#: What would run code that the address brings.
REFUSED = frozenset(
    {"plugin.library.paths", "ssl.engine.location", "ssl.providers", "sasl.kerberos.kinit.cmd"}
)

#: Values that are never shown.
SECRET = frozenset(
    {
        "sasl.password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem",
    }
)

#: Names that a misspelt one may have meant; the library itself decides what it takes.
KNOWN = frozenset(
    """
    api.version.request batch.num.messages batch.size broker.address.family broker.address.ttl check.crcs
    client.dns.lookup client.id client.rack compression.codec compression.level compression.type
    connections.max.idle.ms debug delivery.timeout.ms enable.metrics.push enable.ssl.certificate.verification
    fetch.error.backoff.ms fetch.max.bytes fetch.message.max.bytes fetch.min.bytes fetch.queue.backoff.ms
    fetch.wait.max.ms https.ca.location linger.ms log_level max.in.flight max.partition.fetch.bytes
    message.max.bytes message.send.max.retries message.timeout.ms metadata.max.age.ms partitioner
    queue.buffering.max.kbytes queue.buffering.max.messages queue.buffering.max.ms queued.max.messages.kbytes
    queued.min.messages receive.message.max.bytes reconnect.backoff.max.ms reconnect.backoff.ms
    request.timeout.ms retries retry.backoff.max.ms retry.backoff.ms sasl.kerberos.keytab
    sasl.kerberos.principal sasl.kerberos.service.name sasl.mechanism sasl.mechanisms
    sasl.oauthbearer.client.id sasl.oauthbearer.client.secret sasl.oauthbearer.config
    sasl.oauthbearer.extensions sasl.oauthbearer.method sasl.oauthbearer.scope
    sasl.oauthbearer.token.endpoint.url sasl.password sasl.username security.protocol session.timeout.ms
    socket.connection.setup.timeout.ms socket.keepalive.enable socket.nagle.disable
    socket.receive.buffer.bytes socket.send.buffer.bytes socket.timeout.ms ssl.ca.location ssl.ca.pem
    ssl.certificate.location ssl.certificate.pem ssl.cipher.suites ssl.crl.location ssl.curves.list
    ssl.endpoint.identification.algorithm ssl.key.location ssl.key.password ssl.key.pem ssl.keystore.location
    ssl.keystore.password ssl.sigalgs.list statistics.interval.ms sticky.partitioning.linger.ms
    topic.metadata.refresh.interval.ms transaction.timeout.ms
    """.split()  # noqa: SIM905 - a hundred lines otherwise
)
