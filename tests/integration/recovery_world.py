"""What the tests of recovery share: a real broker, one feed whose exchange and daemon come and go, and what lies in its
topics, message by message. Shares no code with the daemon. Needs confluent_kafka (in_venv())."""
import collections
import importlib.util
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import Daemon, Exchange, Kafka

sys.path[:0] = [str(harness.ROOT / "tests/check"), str(harness.ROOT / "tests/fault")]


def in_venv():
    """Goes on under the interpreter that has confluent_kafka."""
    if importlib.util.find_spec("confluent_kafka") is None:
        python = subprocess.run([harness.ROOT / "tests/check/venv.sh"], capture_output=True, text=True,
                                check=True).stdout.split()[-1]
        os.execv(python, [python, "-W", "ignore::ResourceWarning", *sys.argv])


def read_messages(path) -> list:
    from independent_check import messages

    return list(messages(str(path)))


def write_messages(path, found) -> pathlib.Path:
    pathlib.Path(path).write_bytes(b"".join(len(m).to_bytes(2, "big") + m for m in found))
    return pathlib.Path(path)


def keys_of(found) -> list:
    """By message: its key with key = "symbol"; a message that is not valid: False."""
    from independent_check import valid
    from log_check import Expectation

    symbols = {}
    return [Expectation._routed(m, symbols)[1] if valid(m) else False for m in found]


class Wire:
    """One request to a broker in Kafka's own words (flexible versions), for what no client offers."""

    def __init__(self, servers, api, version, body):
        host, _, port = servers.partition(":")
        head = struct.pack(">hhih", api, version, 1, -1) + b"\0"
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(struct.pack(">i", len(head + body)) + head + body)
            stream = connection.makefile("rb")
            (size,) = struct.unpack(">i", stream.read(4))
            self.data, self.at = stream.read(size), 5  # correlation id, tags

    def number(self, form):
        (value,) = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def varint(self):
        value = shift = 0
        while True:
            byte = self.number("B")
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def text(self):
        length = max(self.varint() - 1, 0)
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def array(self, one):
        return [one() for _ in range(self.varint() - 1)]


def _one_partition(topic, partition):
    return b"\2" + bytes([len(topic) + 1]) + topic.encode() + b"\2" + struct.pack(">i", partition) + b"\0"


def producers(servers, topic, partition) -> list:
    """[(producer id, epoch, its last sequence)] that the partition knows. DescribeProducers v0."""
    answer = Wire(servers, 61, 0, _one_partition(topic, partition) + b"\0")

    def one_producer():
        found = answer.number("q"), answer.number("i"), answer.number("i")
        [answer.number(form) for form in "qiqB"]  # last timestamp, coordinator's epoch, open transaction, tags
        return found

    def one_partition():
        number, error = answer.number("i"), answer.number("h")
        answer.text()
        found = answer.array(one_producer)
        answer.number("B")
        assert (number, error) == (partition, 0), f"partition {number}, error {error}"
        return found

    def one_topic():
        answer.text()
        found = answer.array(one_partition)
        answer.number("B")
        return found[0]

    answer.number("i")  # throttle time
    return answer.array(one_topic)[0]


def supersede(servers, topic, partition, producer, epoch):
    """An abort marker of the producer's next epoch, as a coordinator would write it: what the producer sends to this partition
    from here on is refused (INVALID_PRODUCER_EPOCH), which it takes for fatal. WriteTxnMarkers v1."""
    marker = struct.pack(">qhb", producer, epoch + 1, 0) + _one_partition(topic, partition) + struct.pack(">i", 0) + b"\0"
    answer = Wire(servers, 27, 1, b"\2" + marker + b"\0")

    def one_partition():
        error = (answer.number("i"), answer.number("h"))[1]
        answer.number("B")
        assert error == 0, f"error {error}"

    def one_topic():
        answer.text()
        answer.array(one_partition)
        answer.number("B")

    def one_marker():
        answer.number("q")
        answer.array(one_topic)
        answer.number("B")

    answer.array(one_marker)


class Log:
    """A topic's records, each with the message of the feed that it is."""

    Record = collections.namedtuple("Record", "partition offset key position")  # position None: nobody expects it

    def __init__(self, servers, topic, expected, isolation="read_committed"):
        from log_check import records

        found, self.partitions = records(servers, topic, isolation)
        places, seen = collections.defaultdict(list), collections.Counter()
        for position, message in enumerate(expected):
            places[message].append(position)
        self.records = []
        for partition, offset, key, value in sorted(found, key=lambda record: record[:2]):
            here = places.get(value)
            self.records.append(self.Record(partition, offset, key, here and here[seen[value] % len(here)]))
            seen[value] += 1
        self.counts = collections.Counter(r.position for r in self.records if r.position is not None)
        self.strangers = [r for r in self.records if r.position is None]
        self.lost = [n for n in range(len(expected)) if n not in self.counts]
        self.doubled = [n for n, count in self.counts.items() if count > 1]

    def out_of_order(self) -> int:
        """Records that lie behind a later one of their partition, doubles passed over."""
        furthest, seen, count = collections.defaultdict(lambda: -1), set(), 0
        for record in self.records:
            if record.position is None or record.position in seen:
                continue
            seen.add(record.position)
            count += record.position < furthest[record.partition]
            furthest[record.partition] = max(furthest[record.partition], record.position)
        return count

    def by_position(self) -> dict:
        return {record.position: record for record in self.records if record.position is not None}


class Feed:
    """One feed, through the lives of its daemon and of its exchange. Its programs are ended with the test."""

    def __init__(self, case, messages=None, *, partitions=3, topic_config=(), interval="200ms", **settings):
        type(case).feeds += 1
        self.case, self.kafka = case, case.kafka
        self.topic = f"r{type(case).feeds}"
        self.kafka.topic(self.topic, partitions, 1, *topic_config)
        self.messages = messages if messages is not None else case.messages
        self.file = case.file if messages is None else write_messages(f"{case.folder.name}/{self.topic}.itch", messages)
        self.settings = {"feed.default.topic": self.topic, "feed.default.dead_letter_topic": self.topic + ".dead",
                         "checkpoint.topic": self.topic + ".cp", "checkpoint.interval": interval,
                         "feed.default.reconnect_min": "20ms", "feed.default.reconnect_max": "300ms", **settings}
        self.venue, self.flags, self.life, self.logs = None, (), None, []

    def exchange(self, *flags, file=None) -> Exchange:
        """Another one at the same address, if there was one."""
        port = 0
        if self.venue:
            self.venue.process.kill()
            self.venue.process.wait()
            port = self.venue.port
        self.flags = flags
        self.venue = self.case.enterContext(Exchange("--file", file or self.file, "--port", port, *flags))
        return self.venue

    def start(self, *arguments, config=None, **settings) -> Daemon:
        words = {**self.settings, **harness.address(self.venue),
                 **{f"feed.default.{key}": value for key, value in settings.items()}}
        self.life = self.case.enterContext(Daemon(self.kafka.servers, words, *arguments, config=config))
        return self.life

    def acknowledged(self, count: int, seconds=30) -> dict:
        return self.life.await_feed(lambda feed: feed["messages_acknowledged"] >= count, seconds)

    def log_says(self, pattern, seconds=30):
        return self.life.await_text(pattern, seconds, "err")

    def kill(self):
        self.case.assertIsNone(self.life.process.poll(), self.life.errors())
        self.life.signal(signal.SIGKILL)
        self.life.process.wait()
        self.logs.append(self.life.errors())

    def leaves(self, code: int, seconds=60) -> str:
        """What the life logged that leaves by itself, with this code."""
        self.case.assertEqual(self.life.wait(seconds), code, self.life.errors())
        self.logs.append(self.life.errors())
        return self.logs[-1]

    def stop(self, code=0) -> str:
        self.life.signal(signal.SIGTERM)
        return self.leaves(code)

    def to_the_end(self, *arguments, **more) -> str:
        """The rest of the session, as fast as it is taken."""
        if "--rate" in self.flags:
            at = self.flags.index("--rate")
            self.exchange(*self.flags[:at], *self.flags[at + 2:])
        self.start("--exit-at-end", *arguments, **more)
        return self.leaves(0)

    def checkpoints(self) -> list:
        """All that the topic has kept, in order."""
        from log_check import records

        found, _ = records(self.kafka.servers, self.topic + ".cp")
        return [json.loads(value) for _, _, _, value in sorted(found, key=lambda r: r[1]) if value]

    def newest(self) -> dict:
        return max(self.checkpoints(), key=lambda c: (c["epoch"], c["number"]))

    def decisions(self) -> list:
        return [c["decision"] for c in self.checkpoints() if c.get("decision")]

    def dead_letters(self) -> list:
        """[{header: value}], with the value as "value"."""
        from log_check import consumer
        from topic_reader import records

        client = consumer(self.kafka.servers, "read_committed")
        return [{**{name: value.decode() for name, value in m.headers() or []}, "value": m.value()}
                for m in records(client, self.topic + ".dead")]

    def log(self, expected=None) -> Log:
        return Log(self.kafka.servers, self.topic, expected if expected is not None else self.messages)

    def log_at_rest(self) -> Log:
        """Once what a killed life had under way has been appended."""
        log, before = self.log(), None
        while before != len(log.records):
            time.sleep(0.3)
            log, before = self.log(), len(log.records)
        return log

    def told(self) -> str:
        alive = self.life and self.life.process.poll() is None
        return "\n=== next life\n".join(self.logs + [self.life.errors()] * bool(alive))

    def must_be_exact(self, *, but_lost=(), strangers=0, expected=None, keys=True):
        """Each valid message once, in feed order in each partition, with the key and in the partition that are its own."""
        from independent_check import partition_of

        expected = expected if expected is not None else self.messages
        log, wanted = self.log(expected), keys_of(expected)
        case, told = self.case, self.told()
        lost = [n for n in log.lost if wanted[n] is not False]
        case.assertEqual((len(lost), lost[:5]), (len(but_lost), list(but_lost)[:5]), told)
        case.assertEqual(lost, list(but_lost), told)
        case.assertEqual(log.doubled, [], told)
        case.assertEqual(log.out_of_order(), 0, told)
        case.assertEqual(len(log.strangers), strangers, told)
        if keys:
            wrong = [r for r in log.records if r.position is not None and (
                r.key != wanted[r.position] or r.partition != partition_of(r.key, log.partitions))]
            case.assertEqual(wrong, [], told)
        return log


class RealBroker(unittest.TestCase):
    """One broker, and a session of 30,000 messages, no two alike."""
    broker_settings = ()

    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(1, *cls.broker_settings)
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 30_000, 3, "--symbols", 300)
        cls.messages = read_messages(cls.file)
        assert len(set(cls.messages)) == len(cls.messages)
        cls.feeds = 0

    @classmethod
    def tearDownClass(cls):
        cls.kafka.end()
        cls.folder.cleanup()

    def admin(self):
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.kafka.servers})

    def produce(self, topic, records):
        """[(partition, key, value)], by somebody else; returns {(partition, offset)}."""
        from confluent_kafka import Producer

        written = set()
        producer = Producer({"bootstrap.servers": self.kafka.servers, "linger.ms": 1})
        for partition, key, value in records:
            producer.produce(topic, value, key, partition, on_delivery=lambda _, m: written.add((m.partition(), m.offset())))
        self.assertEqual((producer.flush(30), len(written)), (0, len(records)))
        return written
