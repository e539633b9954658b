#!/usr/bin/env python3
"""The fault suite's own check finds what it must find."""
import pathlib
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "check"))
import log_check  # noqa: E402
from independent_check import partition_of  # noqa: E402


def stock(number, text):
    head = b"R" + number.to_bytes(2, "big") + bytes(8)
    return (head + text.ljust(8).encode() + b"Q" + b"N" + bytes(4) + b"N" + b"C" + b"Z " + b"P" + b"N" + b"N" + b"N" +
            b"N" + bytes(4) + b"N").ljust(39, b"\0")  # fmt: skip


def order(number, reference):
    return b"D" + number.to_bytes(2, "big") + bytes(8) + reference.to_bytes(8, "big")


FEED = [stock(1, "AAA"), stock(2, "BBB"), *(order(1 + n % 2, n) for n in range(20)), b"S" + bytes(10) + b"C"]


class LogCheck(unittest.TestCase):
    partitions = 6  # AAA, BBB and no key each have one of their own

    def judge(self, change=None, but=frozenset()):
        with mock.patch.object(log_check, "messages", lambda path: iter(FEED)):
            self.expectation = expectation = log_check.Expectation("feed")
        log, ends = [], {}
        for message in FEED:
            number = int.from_bytes(message[1:3], "big")
            key = {0: None, 1: b"AAA", 2: b"BBB"}[number]
            log.append((key, message))
        log = change(log) if change else log
        rows = []
        for key, value, *where in log:
            partition = where[0] if where else partition_of(key, self.partitions)
            rows.append((partition, ends.get(partition, 0), key, value))
            ends[partition] = ends.get(partition, 0) + 1
        with mock.patch.object(log_check, "records", lambda *_: (rows, self.partitions)):
            return log_check.check(expectation, "", "", but=but)

    def numbers(self, change):
        found = self.judge(change)
        return found.lost, found.duplicated, found.out_of_order, found.altered

    def test_exact(self):
        self.assertEqual(self.numbers(None), (0, 0, 0, 0))
        self.assertTrue(self.judge().exact())

    def test_a_lost_record(self):
        self.assertEqual(self.numbers(lambda log: log[:5] + log[6:]), (1, 0, 0, 0))

    def test_a_double_is_named_and_can_be_passed_over(self):
        found = self.judge(lambda log: log + [log[7]])
        self.assertEqual((found.duplicated, found.lost, found.out_of_order), (1, 0, 0))
        self.assertEqual(len(found.doubles), 1)
        self.assertTrue(self.judge(lambda log: log + [log[7]], found.doubles).exact())

    def test_a_replay_that_is_written_again_is_doubled_but_in_order(self):
        self.assertEqual(self.numbers(lambda log: log[:15] + log[4:]), (0, 11, 0, 0))

    def test_swapped(self):
        lost, doubled, moved, altered = self.numbers(lambda log: log[:4] + [log[6], log[5], log[4]] + log[7:])
        self.assertEqual((lost, doubled, altered), (0, 0, 0))
        self.assertEqual(moved, 2)

    def test_an_alien_value_and_an_alien_key(self):
        self.assertEqual(self.numbers(lambda log: log + [(b"AAA", b"who?"), (b"ZZZ", order(1, 3))]), (0, 0, 0, 2))

    def test_a_number_where_the_symbol_belongs(self):
        found = self.judge(lambda log: [log[0]] + [(b"#2" if key == b"BBB" else key, value) for key, value in log[2:]])
        self.assertEqual((found.lost, found.altered, len(found.unnamed)), (11, 10, 10))
        self.assertEqual(len(self.judge(lambda log: log + [(b"#9", order(9, 3)), (b"#1", order(2, 3))]).unnamed), 0)

    def test_which_are_lost(self):
        self.assertEqual(self.judge(lambda log: log[:5] + log[6:9] + log[12:]).lost_at, {6, 10, 11, 12})
        self.assertEqual(self.judge(lambda log: log[:4] + [log[6], log[5], log[4]] + log[7:]).lost_at, set())

    def test_of_messages_that_are_equal_the_last_ones_count_as_lost(self):
        with mock.patch.dict(globals(), FEED=FEED[:5] + [FEED[3]] + FEED[5:]):
            self.assertEqual(self.judge(lambda log: log[:5] + log[6:]).lost_at, {6})

    def test_what_is_there_without_its_symbol_is_not_lost(self):
        found = self.judge(lambda log: [log[0]] + [(b"#2" if key == b"BBB" else key, value) for key, value in log[2:10] + log[12:]])
        self.assertEqual(found.lost_at, {2, 11, 12})
        self.assertEqual(found.unnamed_at, {n for n in range(4, 23, 2) if n != 12})

    def test_a_wrong_partition(self):
        self.assertEqual(self.numbers(lambda log: log[:-1] + [(None, FEED[-1], 3)]), (0, 0, 0, 1))

    def problems(self, change, *spans):
        found = self.judge(change)
        return log_check.unexplained(self.expectation, found, [log_check.LifeSpan(*span) for span in spans])

    def test_the_last_messages_of_a_killed_life_may_be_lost(self):
        # AAA has the odd sequences, BBB the even ones.
        self.assertEqual(self.problems(lambda log: log[:10] + log[13:], (1, 3), (14, 0)), [])
        self.assertEqual(self.problems(None, (1, 0), (14, 0)), [])

    def test_more_than_was_under_way_may_not(self):
        self.assertRegex("".join(self.problems(lambda log: log[:10] + log[13:], (1, 2), (14, 0))), "3 lost .* 2 may be")

    def test_nothing_may_be_lost_behind_which_the_same_life_wrote(self):
        holes = self.problems(lambda log: log[:9] + log[12:], (1, 9), (14, 0))  # 13 is there
        self.assertRegex("".join(holes), r"1 lost .* wrote behind them: \[11\]")
        self.assertEqual(self.problems(lambda log: log[:9] + log[12:], (1, 9, False), (14, 0)), [])

    def test_nothing_may_be_lost_of_a_life_that_was_not_killed_or_before_the_first_one(self):
        self.assertEqual(len(self.problems(lambda log: log[:-1], (1, 9), (14, 0))), 1)
        self.assertRegex("".join(self.problems(lambda log: log[1:], (2, 9), (14, 0))), r"1 lost before the first login: \[1\]")

    def test_a_life_may_not_go_back(self):
        self.assertEqual(len(self.problems(None, (1, 9), (14, 9), (13, 0))), 1)

    def test_an_instrument_without_its_symbol_is_looked_at_by_itself(self):
        def change(*lost):
            return lambda log: [(b"#2", value) if n > 2 and key == b"BBB" else (key, value)
                                for n, (key, value) in enumerate(log, 1) if n not in lost]
        self.assertEqual(self.problems(change(10, 12), (3, 9), (13, 0)), [])
        self.assertRegex("".join(self.problems(change(10), (3, 9), (13, 0))), r"wrote behind them: \[10\]")
        self.partitions = 5  # one for AAA and BBB; that #2 had another one
        self.assertEqual(self.problems(change(10, 12), (3, 9), (13, 0)), [])

    def test_of_a_partition_that_two_instruments_share_the_last_ones_may_be_lost(self):
        self.partitions = 5
        self.assertEqual(self.problems(lambda log: log[:11] + log[13:], (3, 9), (14, 0)), [])
        self.assertRegex("".join(self.problems(lambda log: log[:11] + log[12:], (3, 9), (14, 0))), r"wrote behind them: \[12\]")


if __name__ == "__main__":
    unittest.main(verbosity=2)
