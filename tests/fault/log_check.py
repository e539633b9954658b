"""What is in a topic, against what the feed's file must have produced, grouped by instrument. Shares no code with the
daemon nor with tickbridge-verify. Needs confluent_kafka.

Besides the four numbers it knows which offsets hold what nothing expected has (`alien`), which hold a record for the
second time (`doubles`), whether the first occurrences are in the feed's order, and which messages are lost (`lost_at`):
what the weaker promises need.
"""
import bisect
import collections
import dataclasses
import sys
import time

from independent_check import messages, partition_of, valid


class Expectation:
    """`streams`: {(instrument, key): [value]} in the feed's order, `places`: the sequences of the same; `keys`: [(sequence,
    key)] of all. A message's sequence is its place in the file, from 1."""

    def __init__(self, path):
        self.streams, self.places, self.keys = collections.defaultdict(list), collections.defaultdict(list), []
        symbols = {}
        for sequence, message in enumerate(messages(str(path)), 1):
            if not valid(message):
                continue
            instrument, key = self._routed(message, symbols)
            self.streams[instrument, key].append(message)
            self.places[instrument, key].append(sequence)
            self.keys.append((sequence, key))
        self.total = len(self.keys)

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
    lost_at: set = dataclasses.field(default_factory=set)  # sequences; of equal messages the last ones. Less those of:
    unnamed_at: set = dataclasses.field(default_factory=set)  # sequences of the unnamed records
    partitions: int = 0

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


def records(servers, topic, isolation="read_committed", seconds=300):
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


def compare_stream(wanted, sequences, places, finding, unnamed):
    """`sequences`: those of `wanted`. `places`: [(partition, offset, value)] in the order of the log. `unnamed`: how often a
    value of this instrument is there under its number."""
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
    lost = allowed - seen
    finding.lost += sum(lost.values())
    for value, sequence in zip(reversed(wanted), reversed(sequences)):
        if lost[value]:
            lost[value] -= 1
            (finding.unnamed_at if unnamed[value] else finding.lost_at).add(sequence)
            unnamed[value] -= unnamed[value] > 0
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
    finding = Finding(expected=expectation.total, found=len(found), partitions=count)
    streams, named = collections.defaultdict(list), {instrument for instrument, _ in expectation.streams}
    unnamed = collections.defaultdict(collections.Counter)
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
                unnamed[instrument][value] += 1
            continue
        if partition != partition_of(key, count):
            finding.altered += 1
        streams[instrument, key].append((partition, offset, value))
    for name, wanted in expectation.streams.items():
        compare_stream(wanted, expectation.places[name], streams.get(name, []), finding, unnamed[name[0]])
    finding.altered += len(finding.alien)
    return finding


@dataclasses.dataclass
class LifeSpan:
    """What at_most_once allows one life: it had the messages from `begin` on, up to the next life's."""

    begin: int  # the sequence of its first login
    may_lose: int  # messages: 0 unless it was killed, or Kafka refused some
    only_last: bool = True  # and in each partition nothing that this life wrote lies behind what it lost


def unexplained(expectation, finding, spans) -> list:
    """What is lost and should not be, in words. What a killed life had under way are the last messages of its own, in each
    partition; nothing is lost anywhere else."""
    problems, lost = [], sorted(finding.lost_at)
    begins = [span.begin for span in spans]
    if begins != sorted(begins):
        problems.append(f"a life began before the one before it: {begins}")
        return problems
    early = lost[: bisect.bisect_left(lost, begins[0] if begins else sys.maxsize)]
    if early:
        problems.append(f"{len(early)} lost before the first login: {early[:5]}")
    for number, (span, end) in enumerate(zip(spans, [*begins[1:], sys.maxsize]), 1):
        mine = lost[bisect.bisect_left(lost, span.begin) : bisect.bisect_left(lost, end)]
        where = f"of the life {number} that logged in at {span.begin} (the next one at {end})"
        if len(mine) > span.may_lose:
            problems.append(f"{len(mine)} lost {where}, {span.may_lose} may be: {mine[:5]} to {mine[-1]}")
        if holes := mine and span.only_last and written_behind(expectation, finding, span.begin, end):
            problems.append(f"{len(holes)} lost {where}, although it wrote behind them: {holes[:5]}")
    return problems


def written_behind(expectation, finding, begin, end) -> list:
    """The lost ones of a life's messages, from `begin` to before `end`, behind which another one of them is there in their
    partition. Where an instrument has none with its symbol its partition is not known: then, of the same instrument."""
    keys = expectation.keys
    span = keys[bisect.bisect_left(keys, (begin,)) : bisect.bisect_left(keys, (end,))]
    gone, unnamed = finding.lost_at, finding.unnamed_at
    named = {key for sequence, key in span if sequence not in gone and sequence not in unnamed}
    group = {key: partition_of(key, finding.partitions) if key in named else key for _, key in span}
    last = {group[key]: sequence for sequence, key in span if sequence not in gone}
    return [sequence for sequence, key in span if sequence in gone and sequence < last.get(group[key], 0)]


if __name__ == "__main__":
    result = check(Expectation(sys.argv[1]), sys.argv[2], sys.argv[3], *sys.argv[4:5])
    print(result)
    sys.exit(0 if result.exact() else 1)
