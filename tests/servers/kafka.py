"""A real Kafka broker as a process of its own, for one run of the tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["Kafka", "kafka"]

VERSION = "4.3.1"
FOLDER = Path(
    os.environ.get("TALLYSTICK_KAFKA_HOME")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tallystick" / f"kafka-{VERSION}"
)
USER, PASSWORD = "teller", "pass&word 1"

# One node that is broker and controller; small, and quick to see that a killed one is gone.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAIN://127.0.0.1:{plain},CLOSED://127.0.0.1:{closed},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAIN://127.0.0.1:{plain},CLOSED://localhost:{closed}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
listener.security.protocol.map=PLAIN:PLAINTEXT,CLOSED:SASL_SSL,CONTROLLER:PLAINTEXT
listener.name.closed.sasl.enabled.mechanisms=PLAIN
listener.name.closed.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
listener.name.closed.ssl.keystore.location={folder}/broker.p12
listener.name.closed.ssl.keystore.type=PKCS12
listener.name.closed.ssl.keystore.password=tallystick
listener.name.closed.ssl.key.password=tallystick
log.dirs={data}
num.partitions=2
num.network.threads=2
num.io.threads=2
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
share.coordinator.state.topic.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.check.interval.ms=500
log.cleaner.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


class Kafka:
    """A broker that can be killed and started again on the same data and ports.

    bootstrap: host:port of a listener that takes everybody; closed: of one that wants TLS (certificate:
    `FOLDER/broker.pem`) and SASL PLAIN with USER and PASSWORD.
    """

    def __init__(self, folder: Path) -> None:
        plain, closed, controller = _free_ports(3)
        self.bootstrap = f"127.0.0.1:{plain}"
        self.closed = f"localhost:{closed}"
        self.certificate = FOLDER / "broker.pem"
        self.user, self.password = USER, PASSWORD
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._file = folder / "server.properties"
        self._file.write_text(
            PROPERTIES.format(
                plain=plain,
                closed=closed,
                controller=controller,
                user=USER,
                password=PASSWORD,
                folder=FOLDER,
                data=folder / "data",
            )
        )
        self._java(
            "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c", str(self._file)
        ).wait(60)

    def start(self) -> None:
        """Start the broker, and wait until it answers."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        self._process = self._java("kafka.Kafka", str(self._file))
        # Its input ends with us, however we end: the broker then does too.
        guard = ["sh", "-c", 'read -r _; kill -9 "$1"', "sh", str(self._process.pid)]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE)
        client = AdminClient(
            {"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 200}
        )
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if client.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                time.sleep(0.1)
        self.stop()
        pytest.fail("the Kafka broker did not come up:\n" + self._log().read_text()[-3000:])

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, by force where it does not go."""
        if self._process is None:
            return
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.kill()
            self._guard.wait()
            self._guard.stdin.close()
            self._guard = None
        self._process.send_signal(how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def topic(self, name: str, partitions: int = 1, **config: str) -> str:
        """Make a topic, and give its name."""
        from confluent_kafka.admin import AdminClient, NewTopic

        client = AdminClient({"bootstrap.servers": self.bootstrap})
        made = client.create_topics([NewTopic(name, partitions, 1, config=config)])
        made[name].result(20)
        return name

    def uri(self, topic: str, **options: str) -> str:
        """Name a topic as Tallystick does."""
        from urllib.parse import urlencode

        return f"kafka://{self.bootstrap}/{topic}" + ("?" + urlencode(options) if options else "")

    def _java(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log().open("ab") as log:
            return subprocess.Popen(
                [
                    "java", "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{FOLDER}/libs/*", *command,
                ],
                stdout=log, stderr=log, cwd=self._folder,
            )  # fmt: skip

    def _log(self) -> Path:
        return self._folder / "log"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker that runs; whoever kills it starts it again."""
    if not (FOLDER / ".complete").exists() or not shutil.which("java"):
        why = "no Kafka broker here: `sh scripts/kafka.sh` fetches one (Java 17 and Maven)"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    broker = Kafka(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
