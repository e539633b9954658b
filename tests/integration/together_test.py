#!/usr/bin/env python3
"""Several feeds in one daemon share a producer, and its death: each goes on, fails, or has nothing left to do. Real broker."""
import time
import unittest

import harness
import recovery_world
from recovery_world import Feed, RealBroker, producers, supersede


def beside(feed) -> str:
    """A configuration of two feeds; the second one, "other", is this one."""
    return f"""
[feed.default]
[feed.other]
hosts = ["{feed.venue.host}:{feed.venue.port}"]
topic = "{feed.topic}"
dead_letter_topic = "{feed.topic}.dead"
"""


class Together(RealBroker):
    def exact(self, feed, told):
        log = feed.log()
        self.assertEqual((len(log.lost), len(log.doubled), log.out_of_order()), (0, 0, 0), told)

    def fill(self, topic, count):
        """Records that take their time to be read back."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.kafka.servers, "linger.ms": 20, "compression.type": "lz4",
                             "queue.buffering.max.messages": count})
        for _ in range(count):
            producer.produce(topic, bytes(4000), b"fill", 0)
        self.assertEqual(producer.flush(60), 0)

    def record(self, topic, offset):
        from confluent_kafka import Consumer, TopicPartition

        reader = Consumer({"bootstrap.servers": self.kafka.servers, "group.id": "together", "enable.auto.commit": False})
        reader.assign([TopicPartition(topic, 0, offset)])
        found = reader.poll(20)
        reader.close()
        return 0, found.key(), found.value()

    def refuse_records_of(self, topic, admin):
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

        small = ConfigEntry("max.message.bytes", "50", incremental_operation=AlterConfigOpType.SET)
        for done in admin.incremental_alter_configs([ConfigResource("topic", topic, incremental_configs=[small])]).values():
            done.result(20)

    def test_a_feed_that_is_between_two_lives_when_another_ones_refusal_ends_the_producer_goes_on_with_a_new_one(self):
        refused, feed, admin = Feed(self, partitions=1), Feed(self, partitions=1), self.admin()
        admin.list_topics(timeout=10)  # connects
        self.fill(feed.topic, 98_000)  # what a jump makes the feed read back, for a second or so
        refused.exchange("--rate", 3000)
        feed.exchange("--rate", 1500)
        life = refused.start("--exit-at-end", config=beside(feed))
        life.await_feed(lambda f: f["messages_acknowledged"] > 1500, 30, name="other")
        self.produce(feed.topic, [self.record(feed.topic, 98_100)])  # as if one of its own were there twice: a jump
        refused.log_says("was expected, Kafka says")
        self.refuse_records_of(refused.topic, admin)
        refused.log_says("are refused by Kafka")
        feed.exchange()
        told = refused.leaves(65, 30)
        self.assertIn("feed other: recovering in place", told)
        log = feed.log()
        self.assertEqual((len(log.lost), len(log.doubled), log.out_of_order()), (0, 1, 0), told)

    def test_a_life_in_place_after_the_checkpoint_topic_was_deleted_knows_where_the_life_before_was(self):
        feed, admin = Feed(self, interval="6s"), self.admin()
        feed.exchange("--rate", 3000)
        feed.start()
        feed.acknowledged(6000)
        producer, epoch, _ = max(producers(self.kafka.servers, feed.topic, 0))
        admin.delete_topics([feed.topic + ".cp"])[feed.topic + ".cp"].result(30)
        supersede(self.kafka.servers, feed.topic, 0, producer, epoch)  # its producer dies
        feed.log_says("owned, epoch 2")
        feed.exchange()
        feed.life.await_feed(lambda f: f["state"] == "ended", 60)
        feed.stop()
        feed.must_be_exact()

    def test_a_transactional_feed_that_cannot_know_its_last_commit_stops_after_the_checkpoint_topic_was_deleted(self):
        feed, admin = Feed(self, interval="20s", **{"feed.default.delivery": "transactional",
                                                    "producer.transaction_interval": "20s"}), self.admin()
        feed.exchange("--rate", 2000)
        feed.start()
        feed.acknowledged(2000)  # in a transaction that is open
        producer, epoch, _ = max(producers(self.kafka.servers, feed.topic, 0))
        admin.delete_topics([feed.topic + ".cp"])[feed.topic + ".cp"].result(30)
        supersede(self.kafka.servers, feed.topic, 0, producer, epoch)
        self.assertIn("the checkpoint of epoch 1 is not in topic", feed.leaves(65, 30))

    def test_a_checkpoint_is_written_at_once_into_a_checkpoint_topic_that_was_deleted(self):
        feed, admin = Feed(self, interval="60s"), self.admin()
        feed.exchange("--rate", 1000)
        feed.start()
        feed.acknowledged(1000)
        admin.delete_topics([feed.topic + ".cp"])[feed.topic + ".cp"].result(30)
        feed.log_says("was deleted and has been created again")
        self.eventually(feed.checkpoints, "nothing was written")
        self.assertGreater(feed.newest()["next_sequence"], 1000)

    def test_a_feed_that_has_ended_outlives_its_exchange_and_its_producer(self):
        from confluent_kafka.admin import NewPartitions

        ended, other, admin = Feed(self, **{"producer.metadata.max.age.ms": 500}), Feed(self), self.admin()
        ended.exchange()
        other.exchange("--rate", 5000)
        life = ended.start("--exit-at-end", config=beside(other))
        life.await_feed(lambda f: f["state"] == "ended" and f["messages_acknowledged"] == 30_000)
        ended.venue.process.kill()
        ended.venue.process.wait()
        admin.create_partitions([NewPartitions(ended.topic, 5)])[ended.topic].result(10)
        life.await_feed(lambda f: f["messages_acknowledged"] >= 1000, name="other")
        producer, epoch, _ = max(found for found in producers(self.kafka.servers, other.topic, 1) if found[2] >= 0)
        supersede(self.kafka.servers, other.topic, 1, producer, epoch)
        told = ended.leaves(0, 30)
        self.assertIn("feed other: owned, epoch 2", told)
        self.assertTrue(ended.newest()["clean"], told)
        for feed in (ended, other):
            self.exact(feed, told)

    def eventually(self, holds, why, seconds=10):
        deadline = time.monotonic() + seconds * harness.SLOW
        while not holds():
            self.assertLess(time.monotonic(), deadline, why)
            time.sleep(0.1)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
