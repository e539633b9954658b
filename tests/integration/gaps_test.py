#!/usr/bin/env python3
"""What the exchange cannot give any more, and where one session ends and another one begins. Real broker."""
import time
import unittest

import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)


class Gaps(RealBroker):
    def told(self, feed, begin, end, gaps=1):
        """The gap [begin, end) stands in a checkpoint (as long as the topic is not compacted), in the log and in the
        dead letters."""
        text = f"sequences {begin} to {end - 1}"
        kept = feed.checkpoints()
        compacted = len(kept) != kept[-1]["number"] - kept[0]["number"] + 1
        decisions = [checkpoint["decision"] for checkpoint in kept if checkpoint["decision"]]  # of one reading: compaction goes on
        self.assertTrue(compacted or any(text in decision for decision in decisions), decisions)
        self.assertIn(text, feed.told())
        letters = [letter for letter in feed.dead_letters() if letter["reason"] == "gap"]
        self.assertEqual(len(letters), gaps, letters)
        self.assertIn((str(begin), text), [(x["sequence"], x["value"].decode().split(" ", 2)[2]) for x in letters])

    def test_a_gap_at_a_reconnect(self):
        feed = Feed(self, interval="6s")  # the barrier's checkpoint is the only one
        feed.exchange(*RATE, "--fault", "skip:100@5000")
        feed.start()
        status = feed.life.await_feed(lambda f: f["state"] == "ended")
        self.assertEqual(status["gaps"], 1)
        self.told(feed, 5001, 5101)
        feed.kill()
        feed.settings["checkpoint.interval"] = "200ms"
        feed.to_the_end()
        self.told(feed, 5001, 5101)
        feed.must_be_exact(but_lost=range(5000, 5100), expected=self.messages)

    def test_a_gap_at_a_reconnect_in_each_other_mode(self):
        for delivery in ("at_most_once", "at_least_once", "transactional"):
            with self.subTest(delivery):
                feed = Feed(self, **{"feed.default.delivery": delivery})
                feed.exchange(*RATE, "--fault", "skip:100@5000")
                feed.start()
                status = feed.life.await_feed(lambda f: f["state"] == "ended" and f["messages_acknowledged"] == 29_900)
                self.assertEqual((status["gaps"], status["messages_dead_lettered"]), (1, 1))
                self.assertRegex(feed.told(), "barrier: gap in session .*: sequences 5001 to 5100")
                feed.stop()
                self.told(feed, 5001, 5101)
                feed.must_be_exact(but_lost=range(5000, 5100), keys=False)

    def test_on_gap_stop_stops_with_65_and_goes_on_when_told_to(self):
        feed = Feed(self)
        feed.exchange(*RATE, "--fault", "skip:100@5000")
        feed.start(on_gap="stop")
        self.assertIn("sequences 5001 to 5100", feed.leaves(65))
        feed.start(on_gap="stop")
        self.assertIn("sequences 5001 to 5100", feed.leaves(65))
        self.assertLessEqual(len(feed.log().records), 5000)
        feed.to_the_end()
        self.told(feed, 5001, 5101)
        feed.must_be_exact(but_lost=range(5000, 5100), keys=False)

    def gap_at_start(self, behind, interval="200ms"):
        """Killed with a suffix pending; the exchange has lost what lies before a sequence `behind` the newest in the log."""
        feed = Feed(self, interval=interval)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(6000)
        feed.kill()
        there = {r.position for r in feed.log().records}
        first = feed.newest()["next_sequence"]
        end = max(there) + 1 + behind
        self.assertGreater(end, first)
        feed.exchange("--fault", f"skip:{end}")
        feed.settings["checkpoint.interval"] = "200ms"
        feed.start()
        status = feed.life.await_feed(lambda f: f["state"] == "ended")
        self.assertEqual(status["gaps"], 1)
        feed.stop()
        self.told(feed, first, end + 1)
        lost = [n for n in range(end) if n not in there]
        feed.must_be_exact(but_lost=lost, keys=False)
        self.assertNotIn("foreign", feed.told())

    def test_a_gap_at_a_start_behind_all_that_is_written(self):
        self.gap_at_start(500)

    def test_a_gap_at_a_start_that_ends_inside_what_is_written(self):
        self.gap_at_start(-2000, interval="6s")

    def test_a_gap_at_a_start_that_swallows_a_long_suffix(self):
        self.gap_at_start(500, interval="6s")

    def test_killed_at_once_behind_a_gap(self):
        feed = Feed(self, interval="6s")
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(6000)
        feed.kill()
        there = {r.position for r in feed.log().records}
        first, end = feed.newest()["next_sequence"], max(there) - 1000
        feed.exchange("--fault", f"skip:{end}", *RATE)
        feed.settings["checkpoint.interval"] = "200ms"
        for line in ("logged in to session", "owned, epoch", "owned, epoch"):
            feed.start()
            feed.log_says(line)
            feed.kill()
        feed.to_the_end()
        lost = [n for n in range(end) if n not in there]
        feed.must_be_exact(but_lost=lost, keys=False)
        letters = {x["value"] for x in feed.dead_letters()}
        self.assertIn(f"session 1000000001 sequences {first} to {end}".encode(), letters)


class Sessions(RealBroker):
    NEXT = "1000000002"

    def no_gap(self, feed):
        self.assertNotRegex(feed.told(), "left before its end|were not received|cannot be had")

    def both_days(self, feed):
        feed.must_be_exact(expected=self.messages + self.messages, keys=False)

    def test_the_next_session_while_the_daemon_runs(self):
        feed = Feed(self)
        feed.exchange("--sessions", 2)
        feed.start()
        status = feed.life.await_feed(lambda f: f["messages_acknowledged"] == 60_000)
        self.assertEqual((status["session"], status["gaps"]), (self.NEXT, 0))
        feed.stop()
        newest = feed.newest()
        self.assertEqual((newest["session"], newest["next_sequence"], newest["clean"]), (self.NEXT, 30_001, True))
        self.no_gap(feed)
        self.both_days(feed)

    def test_three_short_sessions_one_after_the_other(self):
        messages = self.messages[:3000]
        feed = Feed(self, messages)
        feed.exchange("--sessions", 3)
        feed.start()
        feed.life.await_feed(lambda f: f["messages_acknowledged"] == 9000)
        feed.stop()
        self.no_gap(feed)
        feed.must_be_exact(expected=messages * 3, keys=False)

    def restarted(self, end):
        """Session 1 to its end, `end` the daemon, then session 2 alone, with a kill in its middle."""
        feed = Feed(self)
        feed.exchange()
        feed.start()
        feed.life.await_feed(lambda f: f["state"] == "ended" and f["messages_acknowledged"] == 30_000)
        end(feed)
        feed.exchange("--session", self.NEXT, *RATE)
        feed.start()
        feed.life.await_feed(lambda f: f["session"] == self.NEXT and f["messages_acknowledged"] > 3000)
        feed.kill()
        feed.to_the_end()
        self.no_gap(feed)
        self.both_days(feed)

    def test_a_clean_stop_between_two_sessions(self):
        self.restarted(Feed.stop)

    def test_a_kill_between_two_sessions(self):
        def kill(feed):
            time.sleep(1)  # a checkpoint says that the session has ended
            feed.kill()

        self.restarted(kill)

    def test_a_restart_that_finds_the_session_ended_and_then_the_next_one(self):
        feed = Feed(self)
        feed.exchange()
        feed.start()
        feed.acknowledged(30_000)
        feed.kill()
        feed.exchange("--sessions", 2)
        feed.start()
        feed.life.await_feed(lambda f: f["session"] == self.NEXT and f["messages_acknowledged"] >= 30_000)
        feed.stop()
        self.no_gap(feed)
        self.both_days(feed)

    def left(self, feed, first):
        """The session that was left is told of as a gap from its first missing number."""
        letters = [x for x in feed.dead_letters() if x["reason"] == "gap"]
        self.assertEqual([(x["session"], x["sequence"]) for x in letters], [("1000000001", str(first))])
        self.assertTrue(any(f"{first}" in text and "1000000001" in text for text in feed.decisions()), feed.checkpoints())
        lost = [n for n in range(30_000) if n >= first - 1]
        feed.must_be_exact(but_lost=lost, expected=self.messages + self.second, keys=False)

    def left_early(self, end):
        self.second = [m[:3] + b"\7\7" + m[5:] for m in self.messages]  # another day: no message of it is one of the first
        feed = Feed(self)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(6000)
        end(feed)
        other = recovery_world.write_messages(f"{self.folder.name}/{feed.topic}-2.itch", self.second)
        feed.exchange("--session", self.NEXT, file=other)
        if feed.life.process.poll() is not None:
            feed.start()
        status = feed.life.await_feed(lambda f: f["session"] == self.NEXT and f["state"] == "ended")
        self.assertEqual(status["gaps"], 1, feed.life.errors())
        feed.stop()
        return feed

    def test_a_session_left_before_its_end_while_the_daemon_runs(self):
        feed = self.left_early(lambda feed: None)
        there = {r.position for r in feed.log().records if r.position is not None}
        self.left(feed, max(there) + 2)

    def test_a_session_left_before_its_end_by_a_clean_stop(self):
        feed = self.left_early(Feed.stop)
        there = {r.position for r in feed.log().records if r.position is not None}
        self.left(feed, max(there) + 2)

    def test_a_session_left_before_its_end_by_a_kill(self):
        """What the log holds behind the checkpoint is ours; the gap begins at what the checkpoint proves."""
        at = {}

        def kill(feed):
            feed.kill()
            at["first"] = feed.newest()["next_sequence"]
            at["there"] = {r.position for r in feed.log().records}

        feed = self.left_early(kill)
        letters = [x for x in feed.dead_letters() if x["reason"] == "gap"]
        self.assertEqual([(x["session"], x["sequence"]) for x in letters], [("1000000001", str(at["first"]))])
        lost = [n for n in range(30_000) if n not in at["there"]]
        feed.must_be_exact(but_lost=lost, expected=self.messages + self.second, keys=False)
        self.assertNotIn("foreign", feed.told())

    def test_on_gap_stop_stops_at_a_session_left_before_its_end(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        feed.start(on_gap="stop")
        feed.acknowledged(3000)
        feed.kill()
        feed.exchange("--session", self.NEXT)
        feed.start(on_gap="stop")
        feed.leaves(65)
        there = len(feed.log().records)
        feed.to_the_end()
        self.assertEqual(len(feed.log().records), there + 30_000)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
