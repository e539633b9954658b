#!/usr/bin/env python3
"""A feed that stands still while somebody else writes: nothing of the replay equals what lies behind the checkpoint. Real broker."""
import re
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

QUIET_AT = 4_000


class Quiet(RealBroker):
    def still(self, **settings):
        """A feed whose exchange has nothing to say for a while, all acknowledged and in the checkpoint."""
        feed = Feed(self, **settings)
        feed.exchange("--rate", 5_000, "--fault", f"stall:6@{QUIET_AT}")
        feed.start()
        feed.acknowledged(QUIET_AT)
        deadline = time.monotonic() + 30
        while feed.newest()["next_sequence"] <= QUIET_AT:
            self.assertLess(time.monotonic(), deadline, feed.newest())
            time.sleep(0.1)
        return feed

    def theirs(self, feed):
        return self.produce(feed.topic, [(n % 3, b"theirs", b"foreign %d" % n) for n in range(6)])

    def goes_on(self, feed, strangers):
        feed.exchange()
        told = feed.to_the_end()
        feed.must_be_exact(strangers=len(strangers))
        named = re.findall(r"partition (\d+) offsets (\d+) to (\d+): foreign", told)
        self.assertEqual({(int(p), n) for p, first, last in named for n in range(int(first), int(last) + 1)}, strangers, told)
        self.assertNotIn("lower than asked for", told)

    def test_who_writes_while_it_is_down_is_named_and_the_feed_goes_on(self):
        feed = self.still()
        feed.kill()
        self.goes_on(feed, self.theirs(feed))

    def test_who_writes_while_it_runs_and_is_killed_before_its_next_record_is_named(self):
        feed = self.still()
        strangers = self.theirs(feed)
        feed.kill()
        self.goes_on(feed, strangers)

    def test_what_was_proved_before_a_stranger_came_is_saved(self):
        feed = Feed(self, interval="4s")
        feed.exchange("--rate", 5_000)
        feed.start()
        feed.acknowledged(8_000)
        self.produce(feed.topic, [(0, b"theirs", b"foreign")])
        told = feed.leaves(76)
        newest = feed.newest()
        self.assertGreater(newest["next_sequence"], 6_000, told)
        self.assertFalse(newest["clean"])
        feed.settings["checkpoint.interval"] = "200ms"
        feed.exchange()
        feed.to_the_end()
        feed.must_be_exact(strangers=1)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
