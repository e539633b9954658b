"""What is in a topic, against what the feed's file must have produced, grouped by instrument. Shares no code with the
daemon nor with tickbridge-verify. Needs confluent_kafka.

Besides the four numbers it knows which offsets hold what nothing expected has (`alien`), which hold a record for the
second time (`doubles`), and whether the first occurrences are in the feed's order: what the weaker promises need.
"""
import collections
import dataclasses
import sys
import time

from independent_check import messages, partition_of, valid


class Expectation:
    """{(instrument, key): [value]} in the feed's order."""

    def __init__(self, path):
        self.streams, self.total, symbols = collections.defaultdict(list), 0, {}
        for message in messages(str(path)):
            if not valid(message):
                continue
            instrument, key = self._routed(message, symbols)
            self.streams[instrument, key].append(message)
            self.total += 1

    @staticmethod
    def _routed(message, symbols):
        instrument = int.from_bytes(message[1:3], "big") if len(message) >= 11 else 0
        if message[:1] == b"R":
            key = message[11:19].rstrip(b" ")
            if not symbols.get(instrument, b"").startswith(b"#"):
                symbols[instrument] = key
            return instrument, key
        return instrument, symbols.setdefault(instrument, b"#%d" % instrument) if instrument else None


@dataclasses.dataclass
class Finding:
    expected: int = 0
    found: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    altered: int = 0  # alien values, and records in a wrong partition
    alien: set = dataclasses.field(default_factory=set)  # {(partition, offset)}
    unnamed: set = dataclasses.field(default_factory=set)  # of the alien ones: #<instrument> stands where its symbol belongs
    doubles: set = dataclasses.field(default_factory=set)  # of each value that is there too often: all but the first ones
    ends: dict = dataclasses.field(default_factory=dict)  # {partition: offset behind the last record read}

    def exact(self):
        return not (self.lost or self.duplicated or self.out_of_order or self.altered)

    def __str__(self):
        return (f"expected {self.expected} found {self.found} lost {self.lost} duplicated {self.duplicated} "
                f"out_of_order {self.out_of_order} altered {self.altered}")


def consumer(servers, isolation):
    from confluent_kafka import Consumer

    return Consumer({"bootstrap.servers": servers, "group.id": "fault-check", "enable.auto.commit": False,
                     "enable.partition.eof": True, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 20,
                     "isolation.level": isolation})  # fmt: skip


def records(servers, topic, isolation="read_committed", seconds=120):
    """[(partition, offset, key, value)] up to the ends of all partitions, and their number."""
    from confluent_kafka import KafkaError, TopicPartition

    client = consumer(servers, isolation)
    count = len(client.list_topics(topic, timeout=20).topics[topic].partitions)
    client.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
    left, found, deadline = set(range(count)), [], time.monotonic() + seconds
    while left:
        assert time.monotonic() < deadline, f"{topic}: not read to its end in {seconds} s, partitions {left} are left"
        for message in client.consume(10_000, 0.2):
            error = message.error()
            if error and error.code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            elif error and not error.retriable() and error.code() not in TRANSIENT:
                raise AssertionError(f"{topic}: {error}")
            elif not error:
                found.append((message.partition(), message.offset(), message.key(), message.value()))
    client.close()
    return found, count


def _transient():
    try:
        from confluent_kafka import KafkaError
    except ImportError:
        return ()
    return (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE)


TRANSIENT = _transient()


def ends(servers, topic, seconds=20) -> dict:
    """{partition: end offset}, as a reader of everything sees it."""
    from confluent_kafka import TopicPartition

    client = consumer(servers, "read_uncommitted")
    count = len(client.list_topics(topic, timeout=seconds).topics[topic].partitions)
    found = {n: client.get_watermark_offsets(TopicPartition(topic, n), timeout=seconds)[1] for n in range(count)}
    client.close()
    return found


def moved(wanted, got):
    """How many of `got` stand where another one belongs; both hold the same values."""
    return sum(a != b for a, b in zip(wanted, got))


def compare_stream(wanted, places, finding):
    """`places`: [(partition, offset, value)] in the order of the log."""
    values = [value for _, _, value in places]
    if values == wanted:
        return
    allowed = collections.Counter(wanted)
    seen, first = collections.Counter(), []
    for partition, offset, value in places:
        if value not in allowed:
            finding.alien.add((partition, offset))
        elif seen[value] == allowed[value]:
            finding.doubles.add((partition, offset))
            finding.duplicated += 1
        else:
            seen[value] += 1
            first.append(value)
    finding.lost += sum((allowed - seen).values())
    left = collections.Counter(seen)
    kept = []
    for value in wanted:  # what is there, in the feed's order
        if left[value]:
            left[value] -= 1
            kept.append(value)
    finding.out_of_order += moved(kept, first)


def check(expectation, servers, topic, isolation="read_committed", but=frozenset()) -> Finding:
    """`but`: {(partition, offset)} that are passed over."""
    found, count = records(servers, topic, isolation)
    finding = Finding(expected=expectation.total, found=len(found))
    streams, named = collections.defaultdict(list), {instrument for instrument, _ in expectation.streams}
    for partition, offset, key, value in sorted(found, key=lambda record: record[:2]):
        finding.ends[partition] = offset + 1
        if (partition, offset) in but:
            finding.found -= 1
            continue
        instrument = int.from_bytes(value[1:3], "big") if value and len(value) >= 11 else 0
        if (instrument, key) not in expectation.streams:
            finding.alien.add((partition, offset))
            if key == b"#%d" % instrument and instrument in named:
                finding.unnamed.add((partition, offset))
            continue
        if partition != partition_of(key, count):
            finding.altered += 1
        streams[instrument, key].append((partition, offset, value))
    for name, wanted in expectation.streams.items():
        compare_stream(wanted, streams.get(name, []), finding)
    finding.altered += len(finding.alien)
    return finding


if __name__ == "__main__":
    result = check(Expectation(sys.argv[1]), sys.argv[2], sys.argv[3], *sys.argv[4:5])
    print(result)
    sys.exit(0 if result.exact() else 1)
