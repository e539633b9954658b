"""Where things are, and the brokers of a comparison."""
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/fault"), str(ROOT / "tests/check")]
import harness  # noqa: E402
import log_check  # noqa: E402

BIN = harness.TOOLS
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tickbridge"
PARTITIONS = 12


class Broker:
    """A topic of its own for each run. `kind`: embedded, kafka1, kafka3."""

    def __init__(self, kind: str):
        self.kind, self.count, self.last, self.process = kind, 0, [], None
        self.cluster = None if kind == "embedded" else harness.Kafka(int(kind.removeprefix("kafka")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.end()
        if self.cluster:
            self.cluster.end()

    def topics(self, count: int = 1, partitions: int = PARTITIONS, settings: tuple = ()) -> list:
        """The next run's; of the embedded broker, which keeps everything in memory, another one."""
        self._forget()
        self.count += 1
        names = [f"run{self.count}" + (f"-{number}" if number else "") for number in range(count)]
        if self.cluster:
            for name in names:
                self.cluster.topic(name, partitions, min(3, int(self.kind.removeprefix("kafka"))), *settings)
        else:
            beside = {names[0] + end: 1 for end in (".dead", ".cp", ".cp.state")}
            self.process = harness.EmbeddedBroker({**dict.fromkeys(names, partitions), **beside})
        self.last = names
        return names

    def _forget(self):
        if self.process:
            self.process.end()
        if self.cluster and self.last:
            from confluent_kafka.admin import AdminClient

            admin = AdminClient({"bootstrap.servers": self.servers})  # it has to outlive what it began
            for done in admin.delete_topics(self.last).values():
                done.result(30)

    @property
    def servers(self) -> str:
        return self.cluster.servers if self.cluster else self.process.servers

    def arrived(self, topic: str) -> int:
        return sum(log_check.ends(self.servers, topic).values())
