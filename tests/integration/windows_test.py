#!/usr/bin/env python3
"""The windows that docs/delivery.md states, and ends of the daemon that nothing else shows. Real broker."""
import collections
import random
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)
TRANSACTIONAL = {"feed.default.delivery": "transactional"}


class EqualBytes(RealBroker):
    """Window 4: a feed whose messages equal each other byte for byte."""

    def test_counts_and_order_stay_right(self):
        from log_check import records

        dice = random.Random(7)
        messages = [b"%02d" % dice.randrange(30) for _ in range(40_000)]
        feed = Feed(self, messages, partitions=1, interval="1s", **{"feed.default.protocol": "raw"})
        feed.exchange(*RATE)
        wanted = collections.Counter(messages)
        for strangers, count in enumerate((3_000, 2_000)):
            feed.start()
            feed.acknowledged(count)
            feed.kill()
            following = [*messages, None][len(feed.log_at_rest().records) - strangers]  # that one would be taken for ours
            copy = next(message for message in messages if message != following)
            self.produce(feed.topic, [(0, None, copy)])  # a stranger whose record equals ours
            wanted[copy] += 1
        feed.to_the_end()
        found = [value for _, _, _, value in sorted(records(self.kafka.servers, feed.topic)[0], key=lambda r: r[1])]
        self.assertEqual(collections.Counter(found), wanted, feed.told())
        rest = iter(found)
        self.assertTrue(all(message in rest for message in messages), "the feed's order is not that of the log")
        self.assertRegex(feed.told(), "foreign records|doubles of records of ours")


class Ends(RealBroker):
    def test_a_topic_that_is_deleted_and_created_again_while_it_runs(self):
        feed = Feed(self, interval="200ms")
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(4_000)
        admin = self.admin()  # one that is let go never answers
        for done in admin.delete_topics([feed.topic]).values():
            done.result(20)
        while feed.topic in admin.list_topics(timeout=10).topics:
            time.sleep(0.1)
        self.kafka.topic(feed.topic, 3)
        self.assertRegex(feed.leaves(65), "went back from offset|is not there any more|re-created")
        feed.to_the_end("--start", "beginning")
        self.assertEqual(feed.log().lost, [], feed.told())

    def test_somebody_elses_open_transaction_in_front_of_the_newest_checkpoint(self):
        """Kafka hides what lies behind it from readers of committed records: the start says so, and waits."""
        from confluent_kafka import Producer

        feed = Feed(self, **TRANSACTIONAL)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(2_000)
        feed.kill()  # its own newest checkpoint lies before what follows
        other = Producer({"bootstrap.servers": self.kafka.servers, "transactional.id": "somebody-else",
                          "transaction.timeout.ms": 300_000})
        other.init_transactions(20)
        other.begin_transaction()
        other.produce(feed.topic + ".cp", b"{}", b"another/1", 0)
        other.flush(20)
        feed.start()
        feed.acknowledged(2_000)
        feed.kill()
        feed.settings["startup_timeout"] = "4s"
        feed.start()
        self.assertRegex(feed.leaves(69), r"a transaction is open in topic \S+ from offset \d+ on")
        feed.settings["startup_timeout"] = "30s"
        feed.exchange()
        feed.start("--exit-at-end")
        feed.log_says("waiting until it is ended")
        other.abort_transaction(20)
        feed.leaves(0)
        feed.must_be_exact()


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
