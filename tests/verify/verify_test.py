"""tickbridge-verify against the embedded broker: content with what is right, exact about what is wrong.

Usage: verify_test.py FOLDER_OF_PROGRAMS
"""

import gzip
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = sys.argv.pop(1)
MIDNIGHT = 1580360400000  # 2020-01-30 in New York
COUNT = 5000
CLEAN = "lost 0 duplicated 0 out_of_order 0 altered 0"


def program(name):
    return os.path.join(PROGRAMS, name)


def header(kind, instrument, number):
    return kind + struct.pack(">HH", instrument, 0) + (34200_000000000 + number * 1000).to_bytes(6, "big")


def messages(count):
    """A directory, then orders; instrument 9 is used before it is known; one message of no instrument."""
    yield header(b"S", 0, 0) + b"O"
    yield header(b"D", 9, 0) + struct.pack(">Q", 1)
    for i in range(1, 20):
        fields = f"SYM{i}".ljust(8).encode() + b"QN" + struct.pack(">I", 100) + b"NCZ PNN1N" + struct.pack(">I", 0) + b"N"
        yield header(b"R", i, i) + fields
    chance = random.Random(5)
    for i in range(count):
        yield header(b"D", chance.randrange(1, 20), i + 100) + struct.pack(">Q", i)


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = os.path.join(cls.folder.name, "day.itch.gz")
        listed = list(messages(COUNT))
        cls.count = len(listed)
        listed.insert(50, header(b"D", 1, 1))  # too short: not expected
        with gzip.open(cls.file, "wb") as file:
            for message in listed:
                file.write(struct.pack(">H", len(message)) + message)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.broker = subprocess.Popen(
            [program("tickbridge-embedded-broker"), "--until-stdin-closes", "--topic", "t:5"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.servers = self.broker.stdout.readline().strip().split("=")[1]

    def tearDown(self):
        self.broker.stdin.close()
        self.broker.stdout.close()
        self.broker.wait(10)

    def play(self, fault="none", loops=1, midnight=MIDNIGHT):
        words = [self.file, self.servers, "t", "5", str(loops), fault, str(midnight)]
        return subprocess.Popen([program("verify_play"), *words])

    def verify(self, *words):
        run = subprocess.run([program("tickbridge-verify"), "--file", self.file, "--bootstrap", self.servers, *words],
                             capture_output=True, text=True, timeout=120)  # fmt: skip
        return run.returncode, run.stdout.splitlines(), run.stderr

    def after(self, fault, *words):
        self.assertEqual(self.play(fault).wait(60), 0)
        return self.verify("--topic", "t", *words)

    def test_is_content_with_what_is_right(self):
        code, out, _ = self.after("none", "--partitions", "5")
        self.assertEqual(out[-1], f"expected {self.count} found {self.count} {CLEAN}")
        self.assertIn("messages of the file that must not be in the topic: 1", out)
        self.assertIn(f"messages by type: D {COUNT + 1} R 19 S 1", out)
        self.assertEqual(code, 0)

    def test_says_exactly_what_is_wrong(self):
        for number, (fault, line, text) in enumerate((
            ("lose", "lost 1 duplicated 0 out_of_order 0 altered 0", "  lost "),
            ("double", "lost 0 duplicated 1 out_of_order 0 altered 0", "a copy of message 1001 of the file"),
            ("swap", "lost 0 duplicated 0 out_of_order 1 altered 0", "  out_of_order "),
            ("alter", "lost 0 duplicated 0 out_of_order 0 altered 1", "its value matches nothing expected"),
            ("rekey", "lost 0 duplicated 0 out_of_order 0 altered 1", "key WRONG: wrong key or partition; belongs to"),
        )):  # fmt: skip
            with self.subTest(fault=fault):
                if number > 0:
                    self.tearDown()
                    self.setUp()
                code, out, _ = self.after(fault)
                self.assertTrue(out[-1].endswith(line), out)
                self.assertTrue(any(text in row for row in out), out)
                self.assertEqual(code, 1)

    def test_follows_a_writer_and_counts_loops(self):
        player = self.play(loops=7)
        code, out, err = self.verify("--topic", "t", "--follow", "--loop", "7", "--timeout", "20", "--quiet", "0.2")
        self.assertEqual(player.wait(60), 0)
        self.assertEqual(out[-1], f"expected {7 * self.count} found {7 * self.count} {CLEAN}")
        self.assertIn("expecting", err)
        self.assertEqual(code, 0)

    def test_following_ends_after_silence(self):
        self.assertEqual(self.play("lose").wait(60), 0)
        code, out, _ = self.verify("--topic", "t", "--follow", "--timeout", "4")
        self.assertTrue(out[-1].endswith("lost 1 duplicated 0 out_of_order 0 altered 0"), out)
        self.assertEqual(code, 1)

    def test_checks_timestamps(self):
        code, out, _ = self.after("none", "--timestamps", "--trading-date", "2020-01-30")
        self.assertEqual((code, out[-2]), (0, f"timestamps checked {self.count} wrong 0"))
        code, out, _ = self.verify("--topic", "t", "--timestamps", "--trading-date", "2020-01-30", "--time-zone", "UTC")
        self.assertEqual((code, out[-2]), (1, f"timestamps checked {self.count} wrong {self.count}"))

    def test_takes_the_feeds_rules_from_the_config(self):
        config = os.path.join(self.folder.name, "tickbridge.toml")
        with open(config, "w", encoding="ascii") as file:
            file.write('[feed.a]\ntopic = "t"\nkey = "none"\n[feed.b]\ntopic = "u"\n')
        code, out, _ = self.after("none", "--config", config, "--feed", "a")
        self.assertIn(f"altered {self.count - 1}", out[-1])  # all there, but all except the S with keys
        code, _, err = self.verify("--config", config)
        self.assertEqual(code, 64)
        self.assertIn("several feeds in it", err)

    def test_a_wrong_number_of_partitions_or_no_broker_is_69(self):
        code, _, err = self.verify("--topic", "t", "--partitions", "6")
        self.assertEqual(code, 69, err)
        run = [program("tickbridge-verify"), "--file", self.file, "--bootstrap", "127.0.0.1:1", "--topic", "t"]
        self.assertEqual(subprocess.run([*run, "--timeout", "0.2"], capture_output=True).returncode, 69)


if __name__ == "__main__":
    unittest.main(verbosity=2)
