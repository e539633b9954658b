#!/usr/bin/env python3
"""Checks a topic against a .itch file, sharing no code with the daemon nor with tickbridge-verify.

    independent_check.py topic --file F --bootstrap S --topic T [--timestamps --date 2020-01-30 --zone America/New_York]
                               [--loop N] [--first N]
    independent_check.py kcat  --file F --bootstrap S --topic T [--timestamps …]

`topic` reads with the Python client; it compares keys, partitions, and values in order per key. `kcat` reads with kcat
(format '%k %p %T %S\\n') and compares key, partition, size and timestamp, in order per key. The last line is as
tickbridge-verify's; exit code 0 only if nothing is wrong. Rules: symbol keys, murmur2, unknown types pass.
Needs confluent_kafka (tests/check/venv.sh), kcat for the second.
"""

import argparse
import collections
import datetime
import difflib
import gzip
import itertools
import struct
import subprocess
import sys
import zoneinfo

import topic_reader

LENGTHS = dict(S=12, R=39, H=25, Y=20, L=26, V=35, W=12, K=28, J=35, h=21, A=36, F=40, E=31, C=36, X=23, D=19, U=35,
               P=44, Q=40, B=19, I=50, N=20, O=48)  # fmt: skip
TEXTS = dict(R=[(11, 8), (27, 2)], H=[(11, 8), (20, 5)], Y=[(11, 8)], L=[(11, 12)], K=[(11, 8)], J=[(11, 8)],
             h=[(11, 8)], A=[(24, 8)], F=[(24, 8), (36, 4)], P=[(24, 8)], Q=[(19, 8)], I=[(28, 8)], N=[(11, 8)],
             O=[(11, 8)])  # fmt: skip
DAY = 24 * 3600 * 10**9

Expected = collections.namedtuple("Expected", "key value time")


def murmur2(data):
    """org.apache.kafka.common.utils.Utils.murmur2, as the Java client documents and tests it."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    cut = len(data) - len(data) % 4
    for (k,) in struct.iter_unpack("<I", data[:cut]):
        k = k * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    if cut < len(data):
        h = (h ^ int.from_bytes(data[cut:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def check_murmur2():
    """Values from Kafka's own test of its hash (UtilsTest.testMurmur2)."""
    for text, value in (("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536),
                        ("a-little-bit-longer-string", -1486304829), ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                                                                      -58897971), ("abc", 479470107)):  # fmt: skip
        assert murmur2(text.encode()) == value & 0xFFFFFFFF, text


def partition_of(key, count):
    return (murmur2(key) & 0x7FFFFFFF) % count if key is not None else 0


def messages(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        while len(length := file.read(2)) == 2 and (size := int.from_bytes(length, "big")) > 0:
            message = file.read(size)
            if len(message) < size:
                return
            yield message


def valid(message):
    kind = chr(message[0])
    if kind not in LENGTHS:
        return True
    if len(message) != LENGTHS[kind] or int.from_bytes(message[5:11], "big") >= DAY:
        return False
    return all(32 <= b <= 126 for at, size in TEXTS.get(kind, ()) for b in message[at : at + size])


def session(path, loops, first):
    """The first `first` messages (None: all) of the file played `loops` times in one session."""
    played = messages(path) if loops == 1 else itertools.chain.from_iterable([list(messages(path))] * loops)
    return itertools.islice(played, first)


def expectation(played):
    """{key: [Expected]} in feed order, and the number of messages."""
    symbols, streams, total, last_time = {}, collections.defaultdict(list), 0, 0
    for message in played:
        if not valid(message):
            continue
        key = None
        if len(message) >= 11:
            instrument, when = int.from_bytes(message[1:3], "big"), int.from_bytes(message[5:11], "big")
            last_time = when if when < DAY else last_time
            if message[:1] == b"R":
                key = message[11:19].rstrip(b" ")
                if not symbols.get(instrument, b"").startswith(b"#"):
                    symbols[instrument] = key
            elif instrument:
                key = symbols.setdefault(instrument, b"#%d" % instrument)
        streams[key].append(Expected(key, message, last_time // 10**6))
        total += 1
    return streams, total


def read_topic(bootstrap, topic):
    """[(partition, key, value, timestamp)] of the whole topic, in partition order."""
    consumer = topic_reader.consumer_of(bootstrap)
    count = topic_reader.partitions_of(consumer, topic)
    found = topic_reader.records(consumer, topic)
    return count, [(m.partition(), m.key(), m.value(), m.timestamp()[1]) for m in found]


def read_with_kcat(bootstrap, topic):
    """As read_topic, but the value is its size only."""
    listed = subprocess.run(["kcat", "-L", "-b", bootstrap, "-t", topic], capture_output=True, text=True, check=True)
    count = listed.stdout.count("    partition ")
    command = ["kcat", "-C", "-b", bootstrap, "-t", topic, "-e", "-q", "-f", "%k %p %T %S\\n", "-X",
               "fetch.wait.max.ms=10"]  # fmt: skip
    records = []
    for line in subprocess.run(command, capture_output=True, check=True, timeout=300).stdout.splitlines():
        key, partition, timestamp, size = line.rsplit(b" ", 3)
        records.append((int(partition), key or None, int(size), int(timestamp)))
    return count, records


def compare(expected, found):
    """(lost, duplicated, out of order, altered) of one key's values."""
    if expected == found:
        return 0, 0, 0, 0
    wanted, got = collections.Counter(expected), collections.Counter(found)
    missing, surplus = wanted - got, got - wanted
    duplicated = sum(n for value, n in surplus.items() if value in wanted)
    altered = sum(n for value, n in surplus.items() if value not in wanted)
    in_order = sum(block.size for block in difflib.SequenceMatcher(None, expected, found, False).get_matching_blocks())
    moved = sum((wanted & got).values()) - in_order
    return max(0, sum(missing.values()) - altered), duplicated, max(0, moved), altered


def judge(streams, total, count, records, view, check_time, midnight):
    by_key, wrong_partition, wrong_time = collections.defaultdict(list), 0, 0
    times = collections.defaultdict(collections.Counter)
    for key, stream in streams.items():
        for item in stream:
            times[key][midnight + item.time] += 1
    for partition, key, value, timestamp in records:
        by_key[key].append(value)
        wrong_partition += partition != partition_of(key, count)
        if check_time:
            wrong_time += times[key][timestamp] <= 0
            times[key][timestamp] -= 1
    sums = [0, 0, 0, wrong_partition]
    for key in streams.keys() | by_key.keys():
        result = compare([view(item.value) for item in streams.get(key, [])], by_key.get(key, []))
        sums = [a + b for a, b in zip(sums, result)]
        if any(result):
            print(f"  key {key}: lost, duplicated, out of order, altered: {result}")
    if wrong_time:
        print(f"  {wrong_time} records have a timestamp that no message of their key has")
    names = ("lost", "duplicated", "out_of_order", "altered")
    print(f"expected {total} found {len(records)} " + " ".join(f"{n} {v}" for n, v in zip(names, sums)))
    return 0 if not any(sums) and not wrong_time else 1


def midnight_ms(date, zone):
    day = datetime.date.fromisoformat(date)
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=zoneinfo.ZoneInfo(zone)).timestamp() * 1000)


def main():
    check_murmur2()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=("topic", "kcat"))
    for name in ("--file", "--bootstrap", "--topic"):
        parser.add_argument(name, required=True)
    parser.add_argument("--timestamps", action="store_true")
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--zone", default="America/New_York")
    parser.add_argument("--loop", type=int, default=1, help="as tickbridge-exchange's")
    parser.add_argument("--first", type=int, help="the topic must hold these many first messages and no more")
    args = parser.parse_args()
    streams, total = expectation(session(args.file, args.loop, args.first))
    reader, view = (read_topic, bytes) if args.reader == "topic" else (read_with_kcat, len)
    count, records = reader(args.bootstrap, args.topic)
    return judge(streams, total, count, records, view, args.timestamps, midnight_ms(args.date, args.zone))


if __name__ == "__main__":
    sys.exit(main())
