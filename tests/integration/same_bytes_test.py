#!/usr/bin/env python3
"""A stranger who writes the same bytes again and again (a test client's "hello") is a stranger each time, never a double of
ours. Real broker."""
import re
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 2_000)


class SameBytes(RealBroker):
    def hello(self, feed, *partitions):
        return self.produce(feed.topic, [(partition, b"AAPL", b"hello") for partition in partitions])

    def named(self, feed, kind):
        found = re.findall(rf"partition (\d+) offsets (\d+) to (\d+): {kind}", feed.told())
        return {(int(p), offset) for p, first, last in found for offset in range(int(first), int(last) + 1)}

    def all_counted(self, life, written):
        deadline = time.monotonic() + 20
        while sum(life.feed()[name] for name in ("foreign_writes", "doubles")) < len(written):
            self.assertLess(time.monotonic(), deadline, life.errors())
            time.sleep(0.1)

    def must_be_foreign(self, feed, written):
        self.assertEqual(self.named(feed, "doubles"), set(), feed.told())
        self.assertEqual(self.named(feed, "foreign"), written, feed.told())

    def test_a_topic_that_held_them_before_the_first_start(self):
        feed = Feed(self)
        self.hello(feed, 0, 1, 2)
        feed.exchange(*RATE)
        written = set()
        feed.start()
        for _ in range(2):
            feed.acknowledged(1_000)
            written |= self.hello(feed, 1)
            feed.leaves(76)
            feed.start()
        for end in (feed.kill, feed.stop):
            feed.acknowledged(1_000)
            end()
            written |= self.hello(feed, 0, 1, 2)
            feed.start()
        feed.acknowledged(1_000)
        feed.kill()
        self.must_be_foreign(feed, written)

    def test_a_start_that_gives_the_checkpoint_up(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(2_000)
        written = self.hello(feed, 1)
        feed.leaves(76)
        feed.start("--start", "4000")
        feed.acknowledged(1_000)
        written |= self.hello(feed, 1)
        feed.leaves(76)
        self.must_be_foreign(feed, written)

    def test_a_mode_before_that_does_not_compare(self):
        feed = Feed(self, **{"feed.default.delivery": "at_least_once"})
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(1_000)
        feed.stop()
        self.hello(feed, 1)  # nobody looks
        feed.start()
        feed.acknowledged(1_000)
        self.hello(feed, 2)
        feed.acknowledged(2_000)
        feed.stop()
        self.hello(feed, 2)
        written = set()
        for partition in (1, 2):
            feed.start(delivery="exactly_once")
            feed.acknowledged(1_000)
            written |= self.hello(feed, partition)
            feed.leaves(76)
        self.must_be_foreign(feed, written)

    def test_partitions_that_were_added_while_nobody_looked(self):
        from confluent_kafka.admin import NewPartitions

        admin = self.admin()  # one that is let go never answers
        for end in ("stop", "kill"):
            with self.subTest(end):
                feed = Feed(self)
                feed.exchange(*RATE)
                feed.start()
                feed.acknowledged(1_000)
                getattr(feed, end)()
                admin.create_partitions([NewPartitions(feed.topic, 5)])[feed.topic].result(10)
                time.sleep(1)  # until every broker's answers name them
                written = self.hello(feed, 3, 4, 4)
                life = feed.start()
                feed.log_says("barrier: ")
                feed.acknowledged(life.feed()["messages_acknowledged"] + 2_000)  # in the new ones too by then
                written |= self.hello(feed, 3)
                feed.leaves(76)
                self.must_be_foreign(feed, written)

    def test_a_transaction_that_somebody_aborted(self):
        from confluent_kafka import Producer

        feed = Feed(self, **{"feed.default.delivery": "transactional"})
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(1_000)
        feed.kill()
        other = Producer({"bootstrap.servers": self.kafka.servers, "transactional.id": "somebody-else"})
        other.init_transactions(20)
        other.begin_transaction()
        other.produce(feed.topic, b"hello", b"AAPL", 1)
        other.flush(20)
        other.abort_transaction(20)
        life = feed.start()
        feed.acknowledged(1_000)
        written = self.hello(feed, 1)  # again, as its retry does
        self.all_counted(life, written)
        feed.kill()
        self.must_be_foreign(feed, written)

    def test_more_of_them_than_a_checkpoint_keeps(self):
        """100 partitions, ten ranges each."""
        feed = Feed(self, partitions=100, **{"feed.default.delivery": "transactional"})
        feed.exchange(*RATE)
        life = feed.start(config='[feed.default]\npartitioner = "explicit"\npartitions = { "*" = 0 }\n')
        feed.acknowledged(100)
        written = set()
        for _ in range(16):
            before = life.feed()["messages_acknowledged"]
            written |= self.hello(feed, 0)
            feed.acknowledged(before + 200)
        self.all_counted(life, written)
        ranges = [one for one in feed.newest()["strangers"] if one[0] == 0]
        self.assertLessEqual(len(ranges), 10)
        self.assertTrue(all(any(p == 0 and a <= offset <= b for p, a, b in ranges) for _, offset in written), ranges)
        feed.kill()
        self.must_be_foreign(feed, written)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
