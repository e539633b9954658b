"""tickbridge with anything set, and the session that it is given: one value of a question."""
import json
import pathlib

import peers
import session as work
from world import BIN, PARTITIONS

FILE_BYTES = 150_000_000  # of a session's file; a longer one repeats it
RINGS = 64 << 20  # bytes over all feeds: taking the memory is start, and 2 GiB of it cost more than 8 million messages
RUN_BYTES = 250  # a message of a run, at most, on average: where messages are longer, they are fewer


def table(name: str, entries: dict) -> str:
    """JSON's scalars and lists are TOML's."""
    return f"[{name}]\n" + "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in entries.items())


class Daemon(peers.Contender):
    """`feed`, `producer`, `pipeline`: options of these tables. `share`: of the messages, where they are slow. `broker`: if not
    the question's."""

    def __init__(self, name: str, *, feeds: int = 1, partitions: int = PARTITIONS, instruments: int = work.INSTRUMENTS,
                 size: int | None = None, share: float = 1, compression: str = "none", topic_settings: tuple = (),
                 broker: str | None = None, round_trip: int = 0, feed: dict | None = None, producer: dict | None = None,
                 pipeline: dict | None = None):
        super().__init__(name)
        self.feeds, self.partitions, self.topic_settings = feeds, partitions, topic_settings
        self.broker, self.round_trip = broker, round_trip
        self.instruments, self.size, self.share, self.compression = instruments, size, share, compression
        self.feed, self.producer, self.pipeline = feed or {}, producer or {}, {"ring_bytes": RINGS // feeds, **(pipeline or {})}

    def messages(self, wanted: int) -> tuple[int, int]:
        """In the file of each feed, and how many times over."""
        size = self.size or work.SIZE
        each = int(wanted * self.share * min(1, RUN_BYTES / size)) // self.feeds
        in_file = min(each, 1_000_000, FILE_BYTES // size)
        return max(in_file, 2 * self.instruments), max(1, each // in_file)

    def command(self, run):
        path = run.folder / "tickbridge.toml"
        path.write_text(self.config(run))
        return [BIN / "tickbridge", "--config", path, "--exit-at-end"]

    def config(self, run) -> str:
        tables = [table("producer", {"bootstrap.servers": run.servers, **self.producer}), table("http", {"listen": ""}),
                  table("checkpoint", {"topic": run.topic + ".cp"}), table("pipeline", self.pipeline)]
        for number, topic in enumerate(run.topics):
            exchange = run.exchange("--compression", self.compression)
            tables.append(table(f"feed.f{number}", {
                "host": exchange.host, "port": exchange.port, "topic": topic, "dead_letter_topic": run.topic + ".dead",
                "compression": self.compression, "timestamp": "send", **self.feed}))  # fmt: skip
        return "\n".join(tables)


class Bare(peers.Floor):
    """The bare library on the same session."""

    def __init__(self, name: str, task_bytes: int = 131_072, in_flight: int = 50_000, **shape):
        super().__init__(name, "batch", task_bytes=task_bytes, in_flight=in_flight)
        self.like = Daemon(name, **shape)
        self.partitions, self.instruments, self.size, self.broker = self.like.partitions, self.like.instruments, self.like.size, None

    def messages(self, wanted: int) -> tuple[int, int]:
        return self.like.messages(wanted)


class Sessions:
    """Made when first asked for, and kept."""

    def __init__(self, folder: pathlib.Path, wanted: int):
        self.folder, self.wanted, self.made = folder, wanted, {}

    def of(self, value) -> work.Session:
        in_file, loops = value.messages(self.wanted)
        shape = (in_file, value.instruments, value.size)
        if shape not in self.made:
            folder = self.folder / "-".join(map(str, shape))
            folder.mkdir()
            self.made[shape] = work.make(folder, in_file, 1, value.instruments, value.size, lines=False)
        made = self.made[shape]
        return work.Session(made.itch, None, in_file, loops)
