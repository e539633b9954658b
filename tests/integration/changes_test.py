#!/usr/bin/env python3
"""What changes between two lives of a feed on a real broker: the way of delivering, the topic, the checkpoints; and an owner
that is slow to show that it lives."""
import collections
import datetime
import json
import time
import unittest
import zoneinfo

import harness
import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


class Changes(RealBroker):
    def begun(self, delivery="exactly_once", count=4000, *, rate=RATE, **more) -> Feed:
        feed = Feed(self, **{"feed.default.delivery": delivery}, **more)
        feed.exchange(*rate)
        feed.start()
        feed.acknowledged(count)
        return feed

    def recreate(self, feed):
        admin = self.admin()
        admin.delete_topics([feed.topic])[feed.topic].result(30)
        deadline = time.monotonic() + 30 * harness.SLOW
        while feed.topic in admin.list_topics(timeout=10).topics:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        self.kafka.topic(feed.topic, 3)

    def cut(self, feed):
        """Deletes all records that are there."""
        from confluent_kafka import TopicPartition

        admin = self.admin()  # one that is let go never answers
        for cut in admin.delete_records([TopicPartition(feed.topic, p, -1) for p in range(3)]).values():
            cut.result(30)


class Delivery(Changes):
    def spoil(self, feed):
        """Leaves what an owner leaves that is killed inside its commit: records and a checkpoint that says that they are
        acknowledged, neither committed."""
        from confluent_kafka import Producer

        newest = feed.newest()
        newest["number"] += 1
        newest["next_sequence"] += 3000
        newest["clean"] = True
        for partition in newest["partitions"]:
            partition["offset"] += 1  # one record each
            partition["hash"] = "0" * 16
        producer = Producer({"bootstrap.servers": self.kafka.servers, "transactional.id": "tickbridge-default"})
        producer.init_transactions(30)
        producer.begin_transaction()
        for partition in range(3):
            producer.produce(feed.topic, b"never committed", b"k", partition)
        producer.produce(feed.topic + ".cp", json.dumps(newest), f"default/{newest['epoch']}", 0)
        producer.flush(30)
        return producer  # to be kept: its end would abort the transaction

    def test_a_transaction_that_was_never_committed_is_ended_before_its_checkpoint_is_believed(self):
        for delivery in ("exactly_once", "at_least_once"):
            with self.subTest(delivery):
                feed = self.begun("transactional")
                feed.stop()
                feed.settings["feed.default.delivery"] = delivery
                dead = self.spoil(feed)
                told = feed.to_the_end()
                feed.must_be_exact(strangers=0)
                self.assertNotIn("foreign", told)
                del dead

    def test_another_delivery_is_refused_after_a_kill_and_taken_after_a_clean_stop(self):
        for before, after in (("exactly_once", "transactional"), ("transactional", "exactly_once"),
                              ("at_most_once", "exactly_once")):
            with self.subTest(f"{before} to {after}"):
                feed = self.begun(before)
                feed.kill()
                feed.start("--accept-change", delivery=after)
                self.assertIn("start once with the old configuration and stop it with SIGTERM", feed.leaves(78))
                feed.start()
                feed.acknowledged(100)
                feed.stop()
                feed.to_the_end(delivery=after)
                if before == "at_most_once":
                    self.assertEqual(feed.log().doubled, [], feed.told())
                else:
                    feed.must_be_exact()

    def test_a_kill_behind_a_change_takes_the_new_configuration(self):
        """The change had been accepted and all was aligned; between that and the next ownership the process died."""
        feed = self.begun()
        feed.stop()
        newest = feed.newest()
        self.assertTrue(newest["clean"])
        settled = {**newest, "clean": False, "settled": True, "number": newest["number"] + 1}
        self.produce(feed.topic + ".cp", [(0, f"default/{newest['epoch']}".encode(), json.dumps(settled).encode())])
        told = feed.to_the_end(key="instrument")
        self.assertIn("watching for an owner", told)
        feed.must_be_exact(keys=False)

    def test_another_trading_date_counts_from_the_start_that_has_it(self):
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed = self.begun(delivery, **{"feed.default.trading_date": "2019-12-30"})
                feed.stop()
                before = self.days(feed)
                self.assertEqual(list(before), ["2019-12-30"])
                feed.start(trading_date="2020-01-02")
                feed.acknowledged(1000)
                feed.kill()  # the start checkpoint knows it too
                feed.to_the_end(trading_date="2020-01-02")
                self.assertEqual(self.days(feed), {**before, "2020-01-02": 30_000 - sum(before.values())}, feed.told())

    def days(self, feed) -> dict:
        """{trading date: number of records}, by their timestamps."""
        from log_check import consumer
        from topic_reader import records

        found = collections.Counter()
        for record in records(consumer(self.kafka.servers, "read_committed"), feed.topic):
            found[f"{datetime.datetime.fromtimestamp(record.timestamp()[1] / 1000, NEW_YORK):%Y-%m-%d}"] += 1
        return dict(found)


class Topics(Changes):
    def test_a_topic_that_was_re_created_while_the_feed_was_down_is_found(self):
        for delivery in ("transactional", "at_least_once", "exactly_once"):
            with self.subTest(delivery):
                feed = self.begun(delivery)
                feed.kill()
                self.recreate(feed)
                feed.start()
                self.assertRegex(feed.leaves(65), "re-created or cut short; .* start once with --start beginning")
                feed.to_the_end("--start", "beginning")
                feed.must_be_exact()

    def test_one_that_was_filled_again_is_found_by_a_record(self):
        feed = self.begun("transactional")
        feed.kill()
        self.recreate(feed)
        self.produce(feed.topic, [(n % 3, b"theirs", b"again %d" % n) for n in range(30_000)])
        feed.start()
        self.assertIn("is not the one that was acknowledged there", feed.leaves(65))

    def test_what_retention_took_and_was_skipped_by_count_is_told(self):
        feed = self.begun(count=8000, interval="2s")
        feed.kill()
        before = {r.position for r in feed.log().records}
        behind = feed.newest()["next_sequence"]
        self.cut(feed)
        told = feed.to_the_end()
        after = {r.position for r in feed.log().records}
        self.assertEqual((len(before & after), len(before | after)), (0, 30_000), told)
        self.assertLess(behind, len(before))
        self.assertRegex(told, r"partition \d: \d+ message\(s\) were skipped by count")

    def test_without_a_checkpoint_what_is_there_is_told(self):
        feed = self.begun()
        feed.stop()
        count = len(feed.log().records)
        feed.settings["checkpoint.topic"] = feed.topic + ".other"
        told = feed.to_the_end()
        self.assertRegex(told, r"there is no checkpoint in topic .*partition 0: \d+, .*neither compared nor skipped")
        self.assertEqual(len(feed.log().records), count + 30_000)

    def test_a_stranger_behind_the_last_record_is_named_once(self):
        feed = Feed(self, self.messages[:6000])
        feed.exchange()
        feed.to_the_end()
        self.produce(feed.topic, [(n, b"theirs", b"behind the end") for n in range(3)])
        self.assertEqual(feed.to_the_end().count("foreign records"), 3)
        self.assertEqual(feed.to_the_end().count("foreign records"), 0)
        self.produce(feed.topic, [(1, b"theirs", b"another one")])
        self.assertEqual(feed.to_the_end().count("foreign records"), 1)
        feed.must_be_exact(strangers=4, expected=self.messages[:6000])


    def test_partitions_that_are_added_while_it_runs_are_used_behind_a_barrier(self):
        from confluent_kafka.admin import NewPartitions

        for delivery in ("exactly_once", "transactional", "at_least_once", "at_most_once"):
            with self.subTest(delivery):
                feed = Feed(self, **{"feed.default.delivery": delivery, "producer.metadata.max.age.ms": 1000})
                feed.exchange(*RATE)
                feed.start("--exit-at-end")
                feed.acknowledged(3000)
                admin = self.admin()
                admin.create_partitions([NewPartitions(feed.topic, 5)])[feed.topic].result(10)
                told = feed.leaves(0)
                log = feed.must_be_exact(keys=False)
                new = [r.position for r in log.records if r.partition > 2]
                self.assertTrue(new, told)
                self.assertRegex(told, r"has 5 partitions now, 3 before")
                self.assertIn("barrier: partitions added", told)
                self.assertRegex(told, "topic_partitions: 3 -> 5")
                self.assertNotIn("error", told)
                self.assertEqual(feed.newest()["epoch"], 2)


    def test_a_checkpoint_topic_that_is_deleted_while_it_runs_is_created_again(self):
        """Under a transaction's commit nobody can know whether that counts: then the daemon stops with 65 and says so."""
        unknown = "whether the last transaction was committed cannot be known"
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed = self.begun(delivery)
                admin = self.admin()
                admin.delete_topics([feed.topic + ".cp"])[feed.topic + ".cp"].result(30)
                feed.log_says(rf"\.cp was deleted and has been created again|{unknown}")
                deadline = time.monotonic() + 30 * harness.SLOW
                while len(feed.checkpoints()) < 2 and unknown not in feed.life.errors():  # with two the first is committed
                    self.assertLess(time.monotonic(), deadline, feed.life.errors())
                    time.sleep(0.1)
                if delivery == "transactional" and unknown in feed.life.errors():
                    feed.leaves(65)
                    continue
                feed.kill()
                feed.to_the_end()
                feed.must_be_exact()

    def test_another_limit_on_records_counts_from_where_alignment_ends(self):
        count, limit, piece = 12_000, 2000, 3000
        messages = [b"%06d" % n + b"." * (n * 37 % 3000) for n in range(count)]
        feed = Feed(self, messages, interval="3s", **{"feed.default.protocol": "raw", "producer.batch.size": 1500})
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(4000)
        feed.kill()
        last = max(r.position for r in feed.log(messages).records)
        self.assertGreater(last, feed.newest()["next_sequence"])
        feed.settings |= {"checkpoint.interval": "200ms", "producer.max.request.size": limit}
        told = feed.to_the_end()
        log = feed.log(messages)
        self.assertEqual((log.doubled, log.strangers, log.out_of_order()), ([], [], 0), told)
        self.assertFalse([n for n in log.lost if n <= last or len(messages[n]) < limit - 200], told)
        self.assertFalse([n for n in log.counts if n > last + piece and len(messages[n]) > limit], told)
        letters = [letter["value"] for letter in feed.dead_letters()]
        self.assertEqual([m[:6] for m in letters], [messages[n][:6] for n in log.lost])
        self.assertRegex(told, r"max_record_bytes: \d+ -> \d+")


class Owners(Changes):
    def test_an_older_owner_that_wakes_up_while_its_successors_successor_watches_is_not_believed(self):
        from confluent_kafka import Producer

        for delivery in ("exactly_once", "at_most_once"):
            with self.subTest(delivery):
                feed = self.begun(delivery, rate=("--rate", 3_000), count=2000)
                feed.stop()
                old = feed.newest()
                feed.start()
                feed.acknowledged(3000)
                feed.kill()
                feed.start("--exit-at-end")
                feed.log_says("watching for an owner")
                producer = Producer({"bootstrap.servers": self.kafka.servers})
                producer.produce(feed.topic + ".cp", json.dumps({**old, "number": old["number"] + 1000}), f"default/{old['epoch']}", 0)
                self.assertEqual(producer.flush(10), 0)
                told = feed.leaves(0)
                self.assertEqual((feed.log().doubled, feed.log().strangers), ([], []), told)
                self.assertNotRegex(told, "foreign|doubles")
                if delivery == "exactly_once":
                    feed.must_be_exact()

    def test_an_owner_with_a_longer_interval_is_not_taken_over(self):
        feed = self.begun(rate=("--rate", 500), count=500, interval="3s")
        first = feed.life
        self.assertEqual(feed.newest()["interval_ms"], 3000)
        feed.settings["checkpoint.interval"] = "200ms"
        feed.start()
        self.assertIn("its owner lives", feed.leaves(76))
        self.assertIsNone(first.process.poll(), first.errors())
        self.assertEqual({c["epoch"] for c in feed.checkpoints()}, {1})


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
