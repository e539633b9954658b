#!/usr/bin/env python3
"""Several addresses, several sessions, several feeds: who has which. Real broker."""
import json
import re
import time
import unittest

import recovery_world
from harness import Daemon
from recovery_world import Feed, RealBroker

RATE = ("--rate", 3_000)


class Venues(RealBroker):
    OTHER = "9000000009"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = [m[:3] + b"\7\7" + m[5:] for m in cls.messages]  # no message of it is one of the first session's

    def two_addresses(self):
        """A feed whose second address is in another session, and what is there."""
        feed, other = Feed(self), Feed(self)
        feed.exchange(*RATE)
        file = recovery_world.write_messages(f"{self.folder.name}/{feed.topic}-2.itch", self.second)
        other.exchange("--session", self.OTHER, *RATE, file=file)
        feed.hosts = json.dumps([f"{x.venue.host}:{x.venue.port}" for x in (feed, other)])
        return feed, other

    def start(self, feed, *arguments):
        config = f"[feed.default]\nhosts = {feed.hosts}\n"
        feed.life = self.enterContext(Daemon(self.kafka.servers, feed.settings, *arguments, config=config))

    def gone(self, feed):
        feed.venue.process.kill()
        feed.venue.process.wait()

    def test_an_address_that_is_away_has_not_refused_the_session(self):
        feed, _ = self.two_addresses()
        self.start(feed)
        feed.acknowledged(3000)
        self.gone(feed)
        feed.log_says("rejected the login")
        time.sleep(3)  # the other one refuses it all the while
        feed.exchange(*RATE)
        feed.acknowledged(9000)
        feed.stop()
        self.assertNotIn(self.OTHER, feed.told())
        feed.to_the_end()
        feed.must_be_exact()


    def test_a_session_that_was_left_and_comes_back_is_not_written_twice(self):
        feed, other = self.two_addresses()
        feed.settings["feed.default.soupbintcp.silence"] = "1s"  # then an address is dead, and not waited for
        feed.settings["feed.default.soupbintcp.heartbeat"] = "200ms"
        self.start(feed)
        feed.acknowledged(3000)
        self.gone(feed)
        feed.log_says(f"logged in to session {self.OTHER}")
        feed.acknowledged(6000)
        feed.exchange(*RATE)
        self.gone(other)
        left = self.comes_back(feed)
        self.start(feed)  # who is started again knows it too
        self.assertEqual(self.comes_back(feed), left)
        self.assertEqual(feed.log().doubled, [])
        feed.to_the_end("--start", left)
        log = feed.log()
        self.assertEqual((log.lost, log.doubled, log.out_of_order()), ([], [], 0), feed.told())

    def comes_back(self, feed):
        told = feed.leaves(65)
        found = re.search(r"session 1000000001 has come back.* at sequence (\d+): .* --start (\d+) to go on", told)
        self.assertTrue(found and found[1] == found[2], told)
        return found[1]


    def test_two_transactional_feeds_in_one_topic(self):
        feed, other = self.two_addresses()
        config = f"""
[feed.default]
delivery = "transactional"
[feed.other]
hosts = ["{other.venue.host}:{other.venue.port}"]
topic = "{feed.topic}"
dead_letter_topic = "{other.topic}.dead"
delivery = "transactional"
"""
        for end in (feed.kill, feed.stop):  # what is the other one's is not told as foreign at a start either
            feed.start(config=config)
            for name in ("default", "other"):
                before = feed.life.feed(name)["messages_acknowledged"]
                feed.life.await_feed(lambda f: f["messages_acknowledged"] > before + 3000, name=name)
            statuses = feed.life.status()["feeds"].values()
            self.assertEqual([status["foreign_writes"] for status in statuses], [0, 0])
            end()
        self.assertNotRegex(feed.told(), "foreign|was expected")
        log = feed.log(self.messages + self.second)
        feeds = {n for n in log.counts if n < 30_000}, {n - 30_000 for n in log.counts if n >= 30_000}
        for positions in feeds:
            self.assertGreater(len(positions), 6000)
            self.assertEqual(len(positions), max(positions) + 1, "none is missing")
        self.assertEqual((log.doubled, log.strangers), ([], []), feed.told())


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
