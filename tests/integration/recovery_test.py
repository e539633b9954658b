#!/usr/bin/env python3
"""How a feed's lives begin and end on a real broker: first starts, restarts, owners, delivery modes, dead letters."""
import random
import re
import time
import unittest

import harness
import recovery_world
from recovery_world import Feed, RealBroker

RATE = ("--rate", 6_000)


class Starts(RealBroker):
    def test_the_first_start_on_a_topic_that_is_not_empty(self):
        feed = Feed(self)
        self.produce(feed.topic, [(n % 2, b"theirs", b"before %d" % n) for n in range(50)])
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(4000)
        feed.kill()
        feed.to_the_end()
        feed.must_be_exact(strangers=50)
        self.assertNotIn("foreign", feed.told())

    def test_a_partition_that_is_never_written(self):
        feed = Feed(self, partitions=5)
        config = '[feed.default]\npartitioner = "explicit"\npartitions = { "*" = 3 }\n'
        feed.exchange(*RATE)
        for _ in range(2):
            feed.start(config=config)
            feed.acknowledged(3000)
            feed.kill()
        feed.start(config=config)
        feed.acknowledged(1000)
        feed.stop()
        feed.to_the_end(config=config)
        log = feed.must_be_exact(keys=False)
        self.assertEqual({record.partition for record in log.records}, {3})

    def test_killed_before_there_is_a_checkpoint(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        for line in ("reading the ends", "logging in|logged in", "logged in to session", "owned, epoch"):
            feed.start()
            feed.log_says(line)
            feed.kill()
        feed.to_the_end()
        feed.must_be_exact()

    def test_killed_with_nothing_but_the_start_checkpoint(self):
        feed = Feed(self, interval="8s")  # an owner is watched for twice as long
        feed.settings["startup_timeout"] = "90s"
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(5000)
        feed.kill()
        self.assertEqual(len(feed.checkpoints()), 1)
        feed.settings["checkpoint.interval"] = "200ms"
        told = feed.to_the_end()
        feed.must_be_exact()
        self.assertRegex(told, r"[5-9]\d\d\d|\d{5} record\(s\) lie behind the checkpoint")

    def test_aligning_is_shown_as_recovering_and_told_with_figures(self):
        feed = Feed(self, interval="5s")  # a suffix of some thousand records
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(8000)
        feed.kill()
        newest, there = feed.newest(), feed.log_at_rest().records
        # A partition may be ahead of the slowest one: what the checkpoint knows of it is skipped without being compared.
        skipped = sorted(r.position for r in there if r.position + 1 >= newest["next_sequence"])
        compared = sum(r.offset > newest["partitions"][r.partition]["offset"] for r in there)
        feed.exchange("--rate", 4_000, "--fault", "stall:5@%d" % (skipped[len(skipped) // 2] + 1))
        life = feed.start()
        status = life.await_feed(lambda f: f["messages_skipped"] > 0, 60)
        self.assertEqual(status["state"], "recovering", life.errors())
        self.assertLess(status["messages_skipped"], len(skipped))
        self.assertEqual(life.get("/readyz")[0], 503)
        status = life.await_feed(lambda f: f["state"] == "streaming")
        self.assertEqual(status["messages_skipped"], len(skipped))
        line = re.search(f"aligned before sequence (\\d+): {compared} record.s. of the log compared, {compared} matched, 0 passed over",
                         feed.told())
        self.assertTrue(line, feed.told())
        self.assertGreater(int(line[1]), skipped[-1] + 1)
        self.assertRegex(feed.told(), "recovery: taking ownership[^!]*owned, epoch 2[^!]*recovery: aligning")
        feed.stop()
        feed.to_the_end()
        feed.must_be_exact()

    def test_after_a_clean_stop_nothing_is_repeated_and_nothing_is_skipped(self):
        feed = Feed(self)
        feed.exchange("--rate", 1500)  # 20 s for six lives
        for _ in range(3):
            feed.start()
            feed.acknowledged(1000)
            feed.stop()
            newest = feed.newest()
            self.assertTrue(newest["clean"], newest)
            feed.start()
            feed.log_says(f"at sequence {newest['next_sequence']}\\b")
            status = feed.acknowledged(1)
            self.assertEqual(status["messages_skipped"], 0)
            feed.stop()
        feed.to_the_end()
        feed.must_be_exact()
        self.assertEqual(feed.newest()["next_sequence"], 30_001)

    def test_a_stop_without_a_kill_of_an_aligning_feed_is_not_clean_before_it_is_aligned(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(5000)
        feed.kill()
        for delay in (0.0, 0.05, 0.3, 0.6):
            feed.start()
            feed.log_says("recovery:")
            time.sleep(delay)
            feed.life.signal(15)
            self.assertIn(feed.life.wait(30), (0, 75), feed.life.errors())
            feed.logs.append(feed.life.errors())
        feed.to_the_end()
        feed.must_be_exact()

    def test_a_second_daemon_leaves_before_it_writes_and_the_first_one_goes_on(self):
        feed = Feed(self, interval="500ms")  # two of them have to be longer than what a busy machine stands still
        feed.exchange(*RATE)
        first = feed.start()
        feed.acknowledged(1000)
        feed.start()
        told = feed.leaves(76)
        self.assertIn("its owner lives", told)
        before = first.feed()["messages_acknowledged"]
        first.await_feed(lambda f: f["messages_acknowledged"] > before or f["state"] == "ended")
        self.assertEqual({c["epoch"] for c in feed.checkpoints()}, {1})
        feed.life = first
        first.await_feed(lambda f: f["messages_acknowledged"] == 30_000)
        feed.stop()
        feed.must_be_exact()


class Keys(RealBroker):
    def test_keys_and_partitions_stay_the_same_when_symbols_are_replaced_and_missing(self):
        """Every hundredth message or so is an R that gives an instrument another symbol; some instruments trade before
        their R comes and keep #<number>."""
        dice = random.Random(harness.SEED)
        print(f"TICKBRIDGE_SEED={harness.SEED}", flush=True)
        messages = []
        directory = [m for m in self.messages if m[:1] == b"R"][:200]
        for n, message in enumerate(self.messages):
            messages.append(message)
            at = message[5:11]
            if n > 3000 and n % 100 == 0:
                old = dice.choice(directory)
                messages.append(old[:3] + b"\0\1" + at + b"N%07d" % n + old[19:])
            if n > 3000 and n % 70 == 0:
                number = 60_000 + dice.randrange(200)
                locate = number.to_bytes(2, "big")
                messages.append(b"D" + locate + b"\0\2" + at + n.to_bytes(8, "big"))
                if dice.random() < 0.3:
                    old = dice.choice(directory)
                    messages.append(b"R" + locate + b"\0\3" + at + b"S%07d" % number + old[19:])
        feed = Feed(self, messages, partitions=7)
        feed.exchange("--rate", 4_000)
        for _ in range(5):
            feed.start()
            feed.acknowledged(500 + dice.randrange(2500))
            feed.kill() if dice.random() < 0.7 else feed.stop()
        feed.to_the_end()
        log = feed.must_be_exact()
        self.assertTrue(any(record.key and record.key.startswith(b"#") for record in log.records))


class DeadLetters(RealBroker):
    def spoiled(self):
        """The session with every 40th message an A that is too short."""
        return [b"A" + m[1:30] if n % 40 == 0 and n > 2000 else m for n, m in enumerate(self.messages)]

    def test_none_is_missing_after_kills(self):
        messages = self.spoiled()
        feed = Feed(self, messages)
        feed.exchange(*RATE)
        for count in (2500, 2000, 1500, 900):
            feed.start()
            feed.acknowledged(count)
            feed.kill()
        feed.to_the_end()
        feed.must_be_exact()
        letters = feed.dead_letters()
        wanted = {n + 1 for n in range(len(messages)) if n % 40 == 0 and n > 2000}
        self.assertEqual({int(letter["sequence"]) for letter in letters}, wanted)
        self.assertEqual({letter["reason"] for letter in letters}, {"length"})

    def test_a_feed_that_an_invalid_message_stops_goes_on_where_it_stopped(self):
        messages = list(self.messages)
        messages[6000] = b"A" + messages[6000][1:30]
        feed = Feed(self, messages)
        feed.exchange(*RATE)
        for _ in range(2):
            feed.start(on_invalid="stop")
            self.assertIn("sequence 6001", feed.leaves(65))
        self.assertEqual(len(feed.log().records), 6000)
        feed.to_the_end("--accept-change", on_invalid="dead_letter")
        feed.must_be_exact()
        self.assertEqual([letter["sequence"] for letter in feed.dead_letters()], ["6001"])


class Changes(RealBroker):
    """What shapes the output changes after a kill: what is pending is aligned under the old configuration, and the new one
    counts from there, not from the next start."""
    PIECE = 9000  # messages: two tasks of pipeline.task_bytes

    def killed(self, **settings):
        """A feed that was killed with a suffix pending, and what is in its log."""
        feed = Feed(self, interval="3s", **settings)
        feed.exchange(*RATE)
        feed.start()
        feed.acknowledged(6000)
        feed.kill()
        feed.settings["checkpoint.interval"] = "200ms"
        return feed, max(r.position for r in feed.log().records)

    def check(self, feed, last, is_new):
        """Records up to `last` are of the old configuration, all behind a piece more are of the new one."""
        log = feed.must_be_exact(keys=False)
        new = [r.position for r in log.records if is_new(r)]
        self.assertTrue(new, feed.told())
        self.assertGreater(min(new), last)
        self.assertLess(min(new), last + self.PIECE, feed.told())
        self.assertFalse([r for r in log.records if r.position > last + self.PIECE and not is_new(r) and r.key], feed.told())
        self.assertTrue(any("->" in decision for decision in feed.decisions()), feed.decisions())

    def test_another_key_is_used_as_soon_as_all_is_aligned(self):
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed, last = self.killed(**{"feed.default.delivery": delivery})
                feed.start(key="instrument")
                self.assertIn("--accept-change", feed.leaves(78))
                feed.to_the_end("--accept-change", key="instrument")
                self.check(feed, last, lambda r: r.key and r.key.strip().isdigit())

    def test_doubles_in_front_of_the_change_are_told(self):
        from independent_check import partition_of

        """Behind the kill's suffix lies in each partition a record for the second time, and some that come next."""
        feed, _ = self.killed()
        log, keys = feed.log_at_rest(), recovery_world.keys_of(self.messages)
        appended = []
        for p in range(3):
            here = [r for r in log.records if r.partition == p]
            following = [n for n in range(here[-1].position + 1, len(self.messages)) if keys[n] and partition_of(keys[n], 3) == p]
            appended += [(p, here[-9].key, self.messages[here[-9].position])]
            appended += [(p, keys[n], self.messages[n]) for n in following[:5]]
        self.produce(feed.topic, appended)
        told = feed.to_the_end("--accept-change", key="instrument")
        self.assertEqual(len(re.findall("doubles of records of ours", told)), 3, told)
        self.assertEqual(sum(count > 1 for count in feed.log().counts.values()), 3, told)

    def test_more_partitions_are_used_as_soon_as_all_is_aligned(self):
        from confluent_kafka.admin import AdminClient, NewPartitions

        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed, last = self.killed(**{"feed.default.delivery": delivery})
                admin = AdminClient({"bootstrap.servers": self.kafka.servers})
                for done in admin.create_partitions([NewPartitions(feed.topic, 5)]).values():
                    done.result(10)
                feed.to_the_end()
                log = feed.must_be_exact(keys=False)
                first = min(r.position for r in log.records if r.partition > 2)
                self.assertGreater(first, last)
                self.assertLess(first, last + self.PIECE, feed.told())


class Modes(RealBroker):
    def killed(self, kills=3, **settings):
        """Kills under load, then the rest; the number of records that were under way at the kills, by /api/status."""
        feed, under_way = Feed(self, **{f"feed.default.{k}": v for k, v in settings.items()}), 0
        feed.exchange(*RATE)
        for _ in range(kills):
            feed.start()
            status = feed.acknowledged(2000)
            under_way += status["messages_committed"] - status["messages_acknowledged"]
            feed.kill()
        feed.to_the_end()
        return feed, under_way

    def test_at_least_once_loses_nothing_and_keeps_the_order_but_for_doubles(self):
        feed, _ = self.killed(delivery="at_least_once")
        log = feed.log()
        self.assertEqual((log.lost, log.out_of_order(), log.strangers), ([], 0, []), feed.told())

    def test_at_most_once_doubles_nothing_and_loses_no_more_than_was_under_way(self):
        feed, _ = self.killed(delivery="at_most_once")
        log = feed.log()
        self.assertEqual((log.doubled, log.out_of_order(), log.strangers), ([], 0, []), feed.told())
        print(f"at_most_once: {len(log.lost)} lost in 3 kills", flush=True)
        self.assertLess(len(log.lost), 3 * 6_000 * 0.5, feed.told())  # half a second each

    def test_fire_and_forget_doubles_nothing(self):
        feed, _ = self.killed(delivery="at_most_once", send="fire_and_forget")
        log = feed.log()
        self.assertEqual((log.doubled, log.out_of_order(), log.strangers), ([], 0, []), feed.told())
        self.assertLess(len(log.lost), 3 * 6_000 * 0.5, feed.told())

    def test_at_most_once_loses_nothing_at_a_clean_stop(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        for _ in range(2):
            feed.start(delivery="at_most_once")
            feed.acknowledged(2000)
            feed.stop()
        feed.to_the_end(delivery="at_most_once")
        feed.must_be_exact()

    def test_sync_is_exact(self):
        feed, _ = self.killed(send="sync")
        feed.must_be_exact()

    def test_transactional_is_exact_for_who_reads_what_is_committed(self):
        feed, _ = self.killed(delivery="transactional")
        feed.must_be_exact()

    def test_a_transaction_that_is_full_is_committed_before_its_time(self):
        feed = Feed(self, interval="60s", **{"feed.default.delivery": "transactional",
                                             "producer.transaction_interval": "60s", "producer.transaction_messages": 2000})
        feed.exchange(*RATE)
        life = feed.start()
        feed.acknowledged(11_000)
        self.assertGreaterEqual(len(feed.log().records), 8000)  # of 2000 to 3000 each
        self.assertGreaterEqual(life.metric("tickbridge_feed_checkpoints_total"), 4)
        self.assertGreater(life.metric("tickbridge_feed_drain_seconds"), 0)
        self.assertGreater(life.metric("tickbridge_feed_checkpoint_seconds"), 0)
        stood = life.metric("tickbridge_feed_standstill_seconds_total")
        self.assertGreaterEqual(stood, life.metric("tickbridge_feed_drain_seconds"))
        feed.stop()
        feed.settings["checkpoint.interval"] = "200ms"
        feed.to_the_end()
        feed.must_be_exact()

    def test_a_transaction_that_cannot_be_drained_is_given_up_in_time(self):
        feed = Feed(self, **{"feed.default.delivery": "transactional", "producer.transaction.timeout.ms": 3000})
        feed.exchange(*RATE)
        life = feed.start()
        feed.acknowledged(2000)
        self.kafka.run("stop", 1)
        try:
            began = time.monotonic()
            feed.log_says("recovering in place")
            self.assertLess(time.monotonic() - began, 10 * harness.SLOW)
        finally:
            self.kafka.run("cont", 1)
        life.await_feed(lambda f: f["state"] == "ended")
        feed.stop()
        feed.must_be_exact()

    def test_transactional_after_a_clean_stop(self):
        feed = Feed(self)
        feed.exchange(*RATE)
        for _ in range(2):
            feed.start(delivery="transactional")
            feed.acknowledged(2000)
            feed.stop()
            self.assertTrue(feed.newest()["clean"])
        feed.to_the_end(delivery="transactional")
        feed.must_be_exact()


class Strangers(RealBroker):
    def strangers(self, feed, count=20):
        """Written into the partitions by somebody else; {(partition, offset)}."""
        return self.produce(feed.topic, [(n % 3, b"theirs", b"a stranger's %d" % n) for n in range(count)])

    def named(self, text, what):
        """{(partition, offset)} of a log's lines; each must be there once."""
        found = []
        for partition, first, last in re.findall(rf"partition (\d+) offsets (\d+) to (\d+): {what}", text):
            found += [(int(partition), offset) for offset in range(int(first), int(last) + 1)]
        self.assertEqual(len(found), len(set(found)), text)
        return set(found)

    def test_who_writes_while_a_transactional_feed_is_down_is_named_and_counted_once(self):
        feed = Feed(self, **{"feed.default.delivery": "transactional"})
        feed.exchange("--rate", 3_000)  # the session outlasts three lives
        known = set()
        for end in (feed.kill, feed.stop, feed.kill):
            feed.start()
            feed.acknowledged(2000)
            self.assertEqual(self.named(feed.life.errors(), "foreign"), known)
            self.assertEqual(feed.life.feed()["foreign_writes"], len(known))
            end()
            known = self.strangers(feed)
        told = feed.to_the_end()
        self.assertEqual(self.named(told, "foreign"), known)
        feed.must_be_exact(strangers=60)

    def copied(self, feed, count=20):
        """Copies of a partition's newest records at its end; {(partition, offset)}. One partition: where the feed is halted
        before it meets the copies by itself, it may call those foreign whose first ones lie before the checkpoint."""
        newest = [record for record in feed.log().records if record.partition == 1][-count:]
        return self.produce(feed.topic, [(r.partition, r.key, feed.messages[r.position]) for r in newest])

    def test_a_double_is_named_and_counted_once(self):
        for delivery in ("exactly_once", "transactional"):
            with self.subTest(delivery):
                feed = Feed(self, **{"feed.default.delivery": delivery})
                feed.exchange("--rate", 2_000)  # records of ours follow the copies
                life = feed.start()
                written = set()
                for _ in range(2):
                    feed.acknowledged(life.feed()["messages_acknowledged"] + 1000)
                    written |= self.copied(feed)
                    life.await_feed(lambda f: f["doubles"] >= len(written))
                status = life.await_feed(lambda f: f["state"] == "ended")
                self.assertEqual((status["doubles"], status["foreign_writes"]), (len(written), 0), life.errors())
                feed.stop()
                self.assertEqual(self.named(feed.told(), "doubles"), written)
                log = feed.log()
                self.assertEqual((log.lost, log.out_of_order(), len(log.doubled)), ([], 0, 40))

    def test_copies_of_what_lies_before_the_checkpoint_are_doubles_after_a_kill_and_after_a_clean_stop(self):
        feed = Feed(self)
        feed.exchange("--rate", 3_000)  # the session outlasts three lives
        written = set()
        for end in (feed.stop, feed.kill):
            feed.start()
            feed.acknowledged(2000)
            end()
            written |= self.copied(feed)
        told = feed.to_the_end()
        self.assertEqual(set().union(*(self.named(log, "doubles") for log in feed.logs)), written, feed.told())
        self.assertEqual(self.named(told, "foreign"), set())


class WithoutRight(RealBroker):
    """The daemon's user may do everything but use a transactional.id."""
    broker_settings = ("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                       "allow.everyone.if.no.acl.found=true")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                           ResourceType)

        denied = AclBinding(ResourceType.TRANSACTIONAL_ID, "*", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*",
                            AclOperation.ALL, AclPermissionType.DENY)
        admin = AdminClient({"bootstrap.servers": cls.kafka.servers})
        try:
            for done in admin.create_acls([denied]).values():
                done.result(20)
        except Exception:
            cls.tearDownClass()
            raise

    def test_a_killed_feed_settles_says_so_and_is_exact(self):
        feed = Feed(self, **{"checkpoint.settle": "500ms"})
        feed.exchange(*RATE)
        for _ in range(2):
            feed.start()
            feed.acknowledged(4000)
            feed.kill()
        told = feed.to_the_end()
        line = re.search(r"no fence, the ends of topic \S+ stood still for 500 ms: (.*); what a dead process", told)
        self.assertTrue(line, told)
        self.assertIn("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", line[1])
        self.assertNotIn("are fenced", told)
        self.assertRegex(told, r"[1-9]\d* record\(s\) lie behind the checkpoint")
        feed.must_be_exact()

    def test_transactional_leaves_and_names_the_right(self):
        feed = Feed(self, **{"feed.default.delivery": "transactional"})
        feed.exchange(*RATE)
        feed.start()
        told = feed.leaves(69)
        self.assertIn("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", told)
        self.assertRegex(told, r"kafka-acls.sh --add .*--transactional-id")
        self.assertEqual(feed.log().records, [])


class FatalErrors(RealBroker):
    """The client library gives the producer up: it is made anew in place, with the feeds that share it."""

    def break_producer(self, feed, partition=1):
        """The next request of the producer that writes into the feed's topic meets a fatal error."""
        known = recovery_world.producers(self.kafka.servers, feed.topic, partition)
        number, epoch, _ = max(row for row in known if row[2] >= 0)  # less those of fences, which have written nothing
        recovery_world.supersede(self.kafka.servers, feed.topic, partition, number, epoch)

    def check(self, feed, delivery):
        if delivery == "exactly_once":
            return feed.must_be_exact()
        log = feed.log()
        self.assertEqual((log.lost, log.out_of_order(), log.strangers), ([], 0, []), feed.told())

    def test_one_feed_recovers_in_place_each_time(self):
        for delivery in ("exactly_once", "at_least_once"):
            with self.subTest(delivery):
                feed = Feed(self, **{"feed.default.delivery": delivery})
                feed.exchange("--rate", 3_000)
                life = feed.start("--exit-at-end")
                for number in range(1, 4):
                    feed.acknowledged(life.feed()["messages_acknowledged"] + 2000)
                    self.break_producer(feed)
                    feed.log_says("(?s)" + "_GAPLESS_GUARANTEE.*recovering in place.*owned, epoch.*" * number)
                feed.exchange()  # the rest in a hurry
                told = feed.leaves(0)
                self.assertEqual(told.count("; recovering in place ("), 3, told)
                self.check(feed, delivery)

    def test_at_most_once_goes_on_without_what_was_refused(self):
        feed = Feed(self, **{"feed.default.delivery": "at_most_once"})
        feed.exchange("--rate", 3_000)
        life = feed.start("--exit-at-end")
        for _ in range(3):
            feed.acknowledged(life.feed()["messages_acknowledged"] + 2000)
            self.break_producer(feed)
        feed.acknowledged(life.feed()["messages_acknowledged"] + 2000)
        feed.exchange()
        told = feed.leaves(0)
        log = feed.log()
        self.assertEqual((log.doubled, log.out_of_order(), log.strangers), ([], 0, []), told)
        self.assertLess(len(log.lost), 3_000, told)  # a second's worth at most

    def test_two_feeds_that_share_the_producer_recover_in_place(self):
        for delivery in ("exactly_once", "at_least_once"):
            with self.subTest(delivery):
                feed, other = Feed(self), Feed(self)
                feed.exchange("--rate", 3_000)
                other.exchange("--rate", 3_000)
                life = feed.start("--exit-at-end", config=f'''
[feed.default]
delivery = "{delivery}"
[feed.other]
hosts = ["{other.venue.host}:{other.venue.port}"]
topic = "{other.topic}"
dead_letter_topic = "{other.topic}.dead"
delivery = "{delivery}"
''')
                for number, broken in enumerate((feed, other), 1):
                    for name in ("default", "other"):
                        before = life.feed(name)["messages_acknowledged"]
                        life.await_feed(lambda f: f["messages_acknowledged"] > before + 2000, name=name)
                    self.break_producer(broken)
                    for name in ("default", "other"):
                        feed.log_says("(?s)" + f"feed {name}: [^\\n]*recovering in place.*feed {name}: owned, epoch.*" * number)
                feed.exchange()
                other.exchange()
                told = feed.leaves(0)
                for name in ("default", "other"):
                    self.assertEqual(len(re.findall(f"feed {name}: .*recovering in place", told)), 2, told)
                other.logs, other.life = feed.logs, life
                self.check(feed, delivery)
                self.check(other, delivery)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
