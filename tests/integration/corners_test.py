#!/usr/bin/env python3
"""Two things at once: a stop, another session, added partitions, a stranger, while something else is under way. Real broker."""
import signal
import threading
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)


class Corners(RealBroker):
    def exact(self, feed):
        log = feed.log()
        self.assertEqual((len(log.lost), len(log.doubled), log.out_of_order()), (0, 0, 0), feed.told())

    def test_at_most_once_reserves_anew_in_each_session(self):
        feed = Feed(self, interval="2s", **{"feed.default.delivery": "at_most_once"})
        feed.exchange("--sessions", 2, *RATE)
        feed.start()
        feed.life.await_feed(lambda f: f["session"] == "1000000002" and f["messages_acknowledged"] >= 40_000, 60)
        feed.kill()
        feed.exchange("--session", "1000000002")
        feed.to_the_end()
        self.assertEqual(len(feed.log(self.messages + self.messages).doubled), 0, feed.told())

    def test_partitions_added_while_aligning_wait_until_it_is_done(self):
        from confluent_kafka.admin import NewPartitions

        feed = Feed(self, interval="5s", **{"producer.metadata.max.age.ms": 1000})
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(8000)
        feed.kill()
        feed.settings["checkpoint.interval"] = "500ms"
        feed.exchange("--rate", 1000)  # alignment lasts for seconds
        life = feed.start()
        life.await_feed(lambda f: f["messages_skipped"] > 0, 60)
        admin = self.admin()
        admin.create_partitions([NewPartitions(feed.topic, 5)])[feed.topic].result(10)
        feed.log_says("barrier: partitions added")
        feed.exchange()
        life.await_feed(lambda f: f["state"] == "ended", 60)
        feed.stop()
        self.exact(feed)

    def test_who_writes_while_a_feed_is_down_is_named_although_an_option_has_changed(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(4000)
        feed.stop()
        self.produce(feed.topic, [(p, b"theirs", b"foreign %d" % p) for p in range(3)])
        feed.settings["feed.default.on_unknown"] = "drop"
        self.assertEqual(feed.to_the_end().count("foreign records"), 3, feed.told())

    def test_a_stranger_who_goes_on_writing_during_a_start_is_found(self):
        from confluent_kafka import Producer

        feed, done = Feed(self), threading.Event()
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(4000)
        feed.kill()

        def write():
            producer = Producer({"bootstrap.servers": self.kafka.servers, "linger.ms": 0})
            while not done.wait(0.002):
                [producer.produce(feed.topic, b"a stranger's", b"theirs", partition) for partition in range(3)]
                producer.poll(0)
            producer.flush(10)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            life = feed.start()
            code = life.wait(60)
        finally:
            done.set()
            writer.join()
        self.assertEqual(code, 76, life.errors())
        self.assertIn("are fenced", life.errors())

    def test_a_stop_while_a_foreign_record_is_judged_waits_for_nothing(self):
        feed = Feed(self, shutdown_timeout="100s")
        feed.exchange("--rate", 1000)
        feed.start()
        feed.acknowledged(2000)
        self.produce(feed.topic, [(p, b"theirs", b"foreign %d" % p) for p in range(3)])
        feed.log_says("was expected, Kafka says")
        feed.life.signal(signal.SIGTERM)
        self.assertIn(feed.life.wait(50), (75, 76), feed.life.errors())

    def test_what_the_directory_has_learnt_is_written_again_into_a_state_topic_that_was_deleted(self):
        feed = Feed(self)
        feed.exchange("--sessions", 3, "--rate", 8000)
        feed.start()
        feed.acknowledged(3000)
        states, admin = feed.topic + ".cp.state", self.admin()
        admin.delete_topics([states])[states].result(30)
        feed.life.await_feed(lambda f: f["session"] == "1000000003" and f["messages_acknowledged"] == 90_000, 90)
        feed.stop()
        self.assertEqual(feed.newest()["next_sequence"], 30_001)

    def transactional(self, interval, **more):
        return Feed(self, interval=interval, shutdown_timeout="100s",
                    **{"feed.default.delivery": "transactional", "producer.transaction_interval": interval, **more})

    def goes_on_exactly(self, feed):
        feed.logs.append(feed.life.errors())
        feed.exchange()
        feed.to_the_end()
        self.exact(feed)

    def test_a_last_commit_that_fails_loses_nothing(self):
        from confluent_kafka import Producer

        feed = self.transactional("15s")
        feed.exchange("--rate", 1000, "--fault", "stall:60@4000")
        feed.start()
        feed.acknowledged(4000)
        successor = Producer({"bootstrap.servers": self.kafka.servers, "transactional.id": "tickbridge-default"})
        successor.init_transactions(30)  # fences, and gets no further
        feed.life.signal(signal.SIGTERM)
        self.assertEqual(feed.life.wait(60), 76, feed.life.errors())
        self.goes_on_exactly(feed)

    def test_a_transaction_that_timed_out_while_the_daemon_stood_still_loses_nothing_at_a_stop(self):
        feed = self.transactional("4s", **{"producer.transaction.timeout.ms": 8000})
        feed.exchange("--rate", 1000, "--fault", "stall:90@6000")
        feed.start()
        feed.acknowledged(6000)
        feed.life.signal(signal.SIGSTOP)
        time.sleep(25)  # the coordinator looks every 10 s
        feed.life.signal(signal.SIGTERM)
        feed.life.signal(signal.SIGCONT)
        self.assertIn(feed.life.wait(60), (75, 76), feed.life.errors())
        self.goes_on_exactly(feed)

    def test_a_transaction_that_times_out_in_the_middle_of_a_piece_is_begun_again(self):
        feed = self.transactional("1s", **{"producer.transaction.timeout.ms": 5000, "producer.max_in_flight_messages": 100})
        feed.exchange("--rate", 2500)
        feed.start("--exit-at-end")
        feed.acknowledged(5000)
        self.kafka.run("stop", 1)
        try:
            time.sleep(12)  # commit stands in the middle of a piece: no room
        finally:
            self.kafka.run("cont", 1)
        feed.leaves(0)
        self.assertIn("recovering in place", feed.told())
        self.exact(feed)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
