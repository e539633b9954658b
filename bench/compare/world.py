"""Where things are, and the brokers of a comparison."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/fault"), str(ROOT / "tests/check")]
import harness  # noqa: E402
import log_check  # noqa: E402

BIN = harness.TOOLS
PARTITIONS = 12


class Broker:
    """A topic of its own for each run. `kind`: embedded, kafka1, kafka3."""

    def __init__(self, kind: str, *topic_config: str):
        self.kind, self.topic_config, self.count, self.process = kind, topic_config, 0, None
        self.cluster = None if kind == "embedded" else harness.Kafka(int(kind.removeprefix("kafka")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.end()
        if self.cluster:
            self.cluster.end()

    def topic(self) -> str:
        """The next run's; of the embedded broker, which keeps everything in memory, another one."""
        self.count += 1
        name = f"run{self.count}"
        if self.cluster:
            if self.count > 1:
                self._forget(f"run{self.count - 1}")
            self.cluster.topic(name, PARTITIONS, min(3, int(self.kind.removeprefix("kafka"))), *self.topic_config)
            return name
        if self.process:
            self.process.end()
        self.process = harness.EmbeddedBroker({name: PARTITIONS, name + ".dead": 1, name + ".cp": 1, name + ".cp.state": 1})
        return name

    def _forget(self, name: str):
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.servers})
        for done in admin.delete_topics([name]).values():
            done.result(30)

    @property
    def servers(self) -> str:
        return self.cluster.servers if self.cluster else self.process.servers

    def arrived(self, topic: str) -> int:
        return sum(log_check.ends(self.servers, topic).values())
