#!/usr/bin/env python3
"""What the exchange cannot give any more, and where one session ends and another one begins. Real broker."""
import json
import pathlib
import re
import time
import unittest

import harness
import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)


class Gaps(RealBroker):
    def told(self, feed, begin, end, gaps=1):
        """The gap [begin, end) stands in a checkpoint (as long as the topic is not compacted), in the log and in the
        dead letters."""
        text = f"sequences {begin} to {end - 1}"
        kept = feed.checkpoints()
        compacted = kept[0]["number"] != 1 or len(kept) != kept[-1]["number"] - kept[0]["number"] + 1
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

    def test_a_gap_while_messages_are_dropped(self):
        """at_most_once with when_full = "drop", the broker standing still from before the gap until behind it. There may be
        no room for the gap's letter either."""
        feed = Feed(self, **{"feed.default.delivery": "at_most_once", "feed.default.when_full": "drop",
                             "producer.max.block.ms": 500, "producer.max_in_flight_messages": 1000})
        feed.exchange(*RATE, "--fault", "skip:100@12000")
        life = feed.start()
        feed.acknowledged(3000)
        self.kafka.run("stop", 1)
        try:
            life.await_feed(lambda f: f["messages_dropped"] > 0)
            feed.log_says("gap in session .*: sequences 12001 to 12100 cannot be had; going on")
        finally:
            self.kafka.run("cont", 1)
        status = life.await_feed(lambda f: f["state"] == "ended" and f["messages_acknowledged"] + f["messages_dropped"] == 29_900)
        self.assertEqual(status["gaps"], 1)
        feed.stop()
        self.assertRegex(feed.told(), "barrier: gap in session .*: sequences 12001 to 12100")
        letters = [letter for letter in feed.dead_letters() if letter["reason"] == "gap"]
        self.assertEqual(len(letters), status["messages_dead_lettered"])
        log = feed.log()
        self.assertEqual((log.doubled, log.out_of_order(), log.strangers), ([], 0, []), feed.told())
        self.assertLessEqual(set(range(12_000, 12_100)), set(log.lost))
        self.assertEqual(len(log.lost), 100 + status["messages_dropped"], feed.told())
        feed.start()
        feed.log_says(r"at sequence 30001\b")  # nothing is asked for again
        feed.stop()

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
        # the reader is at the end before commit has taken the login
        status = feed.life.await_feed(lambda f: f["session"] == self.NEXT and f["state"] == "ended" and f["gaps"])
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
        self.bounded(feed.told(), [n + 1 for n in at["there"] if n + 1 >= at["first"]])

    def bounded(self, told, held):
        """What the log holds from the gap's first number on is no more than what is told."""
        ahead = re.search(r"holds records up to sequence (\d+), and at most (\d+) more", told)
        most = ahead or re.search(r"holds at most (\d+) record", told)
        self.assertTrue(most, told)
        behind = [n for n in held if not ahead or n > int(ahead[1])]
        self.assertLessEqual(len(behind), int(most[most.lastindex]))

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


class Learnt(RealBroker):
    """Tombstones in the state topic: what no start needs any more, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.days = [cls.day(n) for n in (1, 2, 3)]

    @classmethod
    def day(cls, n):
        """12,000 messages that no other day has; the same numbers have other symbols."""
        file = harness.generate(pathlib.Path(cls.folder.name) / f"{n}.itch", 12_000, 10 + n, "--symbols", 300 + 7 * n)
        messages = [m[:3] + bytes([n, n]) + m[5:] for m in recovery_world.read_messages(file)]
        recovery_world.write_messages(file, messages)
        return messages, file

    def session(self, feed, n, *flags):
        feed.exchange("--session", f"100000000{n}", *flags, file=self.days[n - 1][1])

    def run_day(self, feed, n, *ends):
        """Lives that end as told in the middle of it, and one that takes the rest."""
        self.session(feed, n, *RATE)
        for end in ends:
            feed.start()
            feed.life.await_feed(lambda f: f["session"] == f"100000000{n}" and
                                 (f["messages_acknowledged"] > 1000 or f["state"] == "ended"), 60)  # a machine may stand still
            end()
        self.session(feed, n)
        feed.start()
        feed.life.await_feed(lambda f: f["session"] == f"100000000{n}" and f["state"] == "ended", 60)
        feed.stop()

    def learnt(self, feed):
        """{(session, epoch)} of the batches that are not buried."""
        from log_check import records

        found, _ = records(feed.kafka.servers, feed.topic + ".cp.state")
        live = {key: value for _, _, key, value in sorted(found, key=lambda r: r[1])}
        batches = [json.loads(value) for value in live.values() if value]
        return {(batch["session"], batch["epoch"]) for batch in batches}

    def sessions(self, feed):
        return {session for session, _ in self.learnt(feed)}

    def right_keys(self, feed, *days):
        """In the log of these days' messages; a restart that has forgotten a symbol writes #number."""
        wanted = [key for n in days for key in recovery_world.keys_of(self.days[n - 1][0])]
        records = feed.log([message for n in days for message in self.days[n - 1][0]]).records
        wrong = [r for r in records if r.position is None or r.key != wanted[r.position]]
        self.assertEqual(wrong[:3], [], feed.told())

    def exact(self, feed, *days):
        feed.must_be_exact(expected=[message for n in days for message in self.days[n - 1][0]], keys=False)
        self.right_keys(feed, *days)

    def test_sessions_gone_by_are_buried_by_the_start_that_joins_the_next_one(self):
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed = Feed(self, **{"feed.default.delivery": delivery})
                for n in (1, 2, 3):
                    self.run_day(feed, n, feed.kill, feed.kill, feed.stop)
                    self.assertEqual(self.sessions(feed), {f"100000000{n}"}, feed.told())
                self.exact(feed, 1, 2, 3)

    def test_a_session_left_while_the_daemon_runs_is_buried_by_the_next_start(self):
        feed = Feed(self)
        self.run_day(feed, 1)
        self.session(feed, 1)
        feed.start()
        feed.life.await_feed(lambda f: f["state"] == "ended")
        self.session(feed, 2, *RATE)
        feed.life.await_feed(lambda f: f["session"] == "1000000002" and f["messages_acknowledged"] > 1000, 60)
        feed.kill()
        self.assertEqual(self.sessions(feed), {"1000000001", "1000000002"})
        self.run_day(feed, 2, feed.kill)
        self.assertEqual(self.sessions(feed), {"1000000002"})
        self.exact(feed, 1, 2)

    def test_killed_right_behind_the_tombstones(self):
        feed = Feed(self)
        self.run_day(feed, 1, feed.kill)
        feed.settings.update({"checkpoint.interval": "4s", "startup_timeout": "60s"})
        self.session(feed, 2, *RATE)
        feed.start()
        feed.log_says("are buried", 60)
        feed.kill()
        feed.start()
        feed.life.await_feed(lambda f: f["messages_acknowledged"] > 2000, 60)
        feed.kill()
        newest = feed.newest()
        self.assertEqual((newest["session"], newest["number"]), ("1000000002", 1))
        self.assertLessEqual(self.sessions(feed), {"1000000002"})
        feed.settings["checkpoint.interval"] = "200ms"
        self.run_day(feed, 2)
        self.exact(feed, 1, 2)

    def begun(self, delivery="exactly_once"):
        feed = Feed(self, **{"feed.default.delivery": delivery})
        self.session(feed, 1, *RATE)
        feed.start()
        feed.life.await_feed(lambda f: f["messages_acknowledged"] > 3000)
        deadline = time.monotonic() + 30
        while feed.newest()["next_sequence"] == 1:  # the state topic is slow to answer for the first time
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        feed.kill()
        self.assertEqual(self.learnt(feed), {("1000000001", 1)})
        return feed

    def test_start_beginning_buries_what_it_learns_again(self):
        for delivery in ("exactly_once", "transactional", "at_least_once"):
            with self.subTest(delivery):
                feed = self.begun(delivery)
                self.session(feed, 1, *RATE)
                feed.start("--start", "beginning")
                feed.acknowledged(4000)
                feed.kill()
                self.assertEqual(self.learnt(feed), {("1000000001", 2)}, feed.told())
                self.run_day(feed, 1, feed.kill)
                self.assertEqual(feed.log(self.days[0][0]).lost, [])
                self.right_keys(feed, 1)

    def test_start_now_buries_nothing_of_its_session(self):
        feed = self.begun()
        feed.start("--start", "now")
        feed.log_says("owned, epoch 2")
        feed.kill()
        self.assertIn(("1000000001", 1), self.learnt(feed), feed.told())
        self.assertNotIn("are buried", feed.told())

    def test_without_the_checkpoint_topic_nothing_that_was_learnt_counts(self):
        feed = Feed(self)
        self.session(feed, 1, *RATE)
        for _ in range(2):
            feed.start()
            feed.acknowledged(2000)
            feed.kill()
        admin = self.admin()
        admin.delete_topics([feed.topic + ".cp"])[feed.topic + ".cp"].result(30)
        deadline = time.monotonic() + 30 * harness.SLOW
        while feed.topic + ".cp" in admin.list_topics(timeout=10).topics:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)
        feed.exchange("--session", "1000000001", *RATE, file=self.days[1][1])
        feed.start()
        feed.acknowledged(4000)
        feed.kill()
        self.assertEqual(self.learnt(feed), {("1000000001", 1)}, feed.told())
        self.assertRegex(feed.told(), r"[1-9]\d* state record\(s\) that no start needs any more are buried")
        feed.exchange("--session", "1000000001", file=self.days[1][1])
        feed.to_the_end()
        self.right_keys(feed, 1, 2)
        self.assertEqual([n for n in feed.log(self.days[0][0] + self.days[1][0]).lost if n >= len(self.days[0][0])], [])

    def test_of_two_that_start_at_once_the_owner_buries(self):
        feed = Feed(self)
        self.run_day(feed, 1, feed.kill)
        self.session(feed, 2, "--rate", 1_000)  # longer than it takes one of them to leave
        lives = [feed.start(), feed.start()]
        deadline = time.monotonic() + 60
        while all(life.process.poll() is None for life in lives) and time.monotonic() < deadline:
            time.sleep(0.05)
        left, stayed = sorted(lives, key=lambda life: life.process.poll() is None)
        self.assertEqual((left.process.poll(), stayed.process.poll()), (76, None), left.errors() + stayed.errors())
        self.assertNotRegex(left.errors(), "are buried|owned, epoch")
        self.assertIn("are buried", stayed.errors())
        feed.logs.append(left.errors())
        feed.life = stayed
        feed.acknowledged(1000)
        feed.kill()
        self.run_day(feed, 2)
        self.assertEqual(self.sessions(feed), {"1000000002"})
        self.exact(feed, 1, 2)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
