#!/usr/bin/env python3
"""Reads a whole topic with the Python client, which shares no code with ours.

    topic_reader.py SERVERS TOPIC   prints one JSON object a record, keys and values in hexadecimal

Needs confluent_kafka (tests/check/venv.sh).
"""

import json
import sys
import time


def consumer_of(bootstrap):
    from confluent_kafka import Consumer

    return Consumer({"bootstrap.servers": bootstrap, "group.id": "independent-check", "enable.auto.commit": False,
                     "enable.partition.eof": True, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10,
                     "isolation.level": "read_committed"})  # fmt: skip


def partitions_of(consumer, topic):
    return len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)


def records(consumer, topic, seconds=120):
    """The client's messages, up to the ends of all partitions; SystemExit if that takes too long."""
    from confluent_kafka import KafkaError, TopicPartition

    left, deadline = set(range(partitions_of(consumer, topic))), time.monotonic() + seconds
    consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
    while left:
        if time.monotonic() > deadline:
            raise SystemExit(f"{topic}: not read to its end in {seconds} s, partitions {left} are left")
        for message in consumer.consume(10000, 0.2):
            if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                left.discard(message.partition())
            elif message.error():
                raise SystemExit(message.error())
            else:
                yield message
    consumer.close()


def described(message):
    kind, time_ms = message.timestamp()
    return {"partition": message.partition(), "offset": message.offset(), "key": message.key() and message.key().hex(),
            "value": message.value().hex(), "timestamp_type": kind, "timestamp": time_ms,
            "headers": [[name, value.decode()] for name, value in message.headers() or []]}  # fmt: skip


if __name__ == "__main__":
    for record in records(consumer_of(sys.argv[1]), sys.argv[2]):
        print(json.dumps(described(record)))
