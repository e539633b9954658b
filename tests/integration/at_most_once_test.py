#!/usr/bin/env python3
"""at_most_once beside what goes wrong at the exchange, at the broker, in another process. And at_least_once where others write
into the topic too. Real broker."""
import json
import signal
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

AT_MOST_ONCE = {"feed.default.delivery": "at_most_once"}


class AtMostOnce(RealBroker):
    def test_a_login_that_is_rejected_first_is_tried_again(self):
        feed = Feed(self, **AT_MOST_ONCE)
        feed.exchange("--fault", "reject:S:1")
        feed.to_the_end()
        feed.must_be_exact()

    def test_another_day_follows_a_clean_stop_although_records_were_refused(self):
        """The old session is asked for and rejected; it was received to its end, whatever Kafka took."""
        from confluent_kafka.admin import ConfigResource

        def limit(size):
            resource = ConfigResource("topic", feed.topic, set_config={"max.message.bytes": str(size)})
            admin = self.admin()
            for done in admin.alter_configs([resource]).values():
                done.result(20)

        feed = Feed(self, **AT_MOST_ONCE, **{"feed.default.on_gap": "stop"})
        feed.exchange("--rate", 5_000)
        life = feed.start("--exit-at-end")
        feed.acknowledged(3_000)
        limit(50)
        life.await_feed(lambda f: f["messages_dropped"] > 0, 30)
        limit(1_000_000)
        feed.leaves(0)
        newest = feed.newest()
        self.assertTrue(newest["clean"] and newest["session_ended"], newest)
        feed.exchange("--session", "1000000002")
        told = feed.to_the_end()
        self.assertNotIn("was left before its end", told)
        self.assertIn(f"{len(self.messages)} acknowledged", told)

    def test_what_a_kill_gives_up_is_no_gap(self):
        feed = Feed(self, **AT_MOST_ONCE, **{"feed.default.payload": "moldudp64", "feed.default.on_gap": "stop"})
        feed.exchange("--payload", "moldudp64", "--rate", 6_000)
        feed.start()
        feed.acknowledged(6_000)
        feed.kill()
        feed.exchange("--payload", "moldudp64")
        feed.to_the_end()
        self.assertEqual(feed.log().doubled, [], feed.told())

    def test_a_zombie_writes_nothing_that_its_successor_has_written(self):
        feed = Feed(self, **AT_MOST_ONCE)
        feed.exchange("--rate", 6_000)
        zombie = feed.start()
        feed.acknowledged(3_000)
        zombie.signal(signal.SIGSTOP)
        feed.start("--exit-at-end")
        feed.acknowledged(2_000)
        time.sleep(0.5)
        zombie.signal(signal.SIGCONT)
        self.assertEqual(zombie.wait(30), 76, zombie.errors())
        feed.leaves(0)
        self.assertEqual(feed.log().doubled, [], feed.told())

    def test_a_successor_begins_behind_what_a_zombie_has_reserved_while_it_logged_in(self):
        feed = Feed(self, **AT_MOST_ONCE, **{"feed.default.soupbintcp.silence": "2s"})
        feed.exchange("--rate", 6_000)
        feed.start()
        feed.acknowledged(3_000)
        feed.kill()
        woken = feed.newest()
        woken["number"] += 1
        woken["next_sequence"] += 5_000
        feed.exchange("--rate", 6_000, "--fault", "silent-login:1")
        life = feed.start("--exit-at-end")
        feed.log_says("reading the ends")  # behind the watch; the answer to its login is yet to come
        self.produce(feed.topic + ".cp", [(0, f"default/{woken['epoch']}", json.dumps(woken))])
        feed.leaves(0)
        self.assertIn("beginning again behind that", life.errors())
        given_up = range(woken["next_sequence"] - 5_001, woken["next_sequence"] - 1)  # the zombie's to write
        self.assertEqual([r for r in feed.log().records if r.position in given_up], [], life.errors())
        self.assertEqual(feed.log().doubled, [], feed.told())


class AtLeastOnce(RealBroker):
    def test_positions_move_on_in_a_topic_that_two_feeds_write(self):
        feed, other = Feed(self, partitions=2), Feed(self)
        for one in (feed, other):
            one.exchange("--rate", 4_000)
        feed.start(config=f"""
[feed.default]
delivery = "at_least_once"
[feed.other]
hosts = ["{other.venue.host}:{other.venue.port}"]
topic = "{feed.topic}"
dead_letter_topic = "{other.topic}.dead"
delivery = "at_least_once"
""")
        feed.acknowledged(8_000)
        feed.kill()
        reached = max(c["next_sequence"] for c in feed.checkpoints() if c["feed"] == "default")
        self.assertGreaterEqual(reached, 4_000, feed.told())


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
