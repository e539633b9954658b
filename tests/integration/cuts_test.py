#!/usr/bin/env python3
"""Connections cut at random places, 200 times at least in one run; one byte at a time; fail-over; repeats and gaps."""
import pathlib
import random
import tempfile
import unittest

import harness
from harness import Daemon, EmbeddedBroker, Exchange, Verifier

FAST = {"feed.default.reconnect_min": "1ms", "feed.default.reconnect_max": "2ms"}


class Cuts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {harness.SEED} (TICKBRIDGE_SEED repeats it)", flush=True)
        cls.dice = random.Random(harness.SEED)
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 30000)
        cls.small = harness.generate(pathlib.Path(cls.folder.name) / "small.itch", 1500)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def broker(self):
        return EmbeddedBroker({"ticks": 5, "ticks.dead": 1})

    def run_exactly(self, file, flags, settings, status=None):
        flags = [*flags, "--seed", self.dice.randrange(1 << 31)]
        with self.broker() as broker, Exchange("--file", file, *flags) as exchange, \
                Verifier(file, broker.servers, "ticks", "--timeout", 60) as verifier, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **settings}) as daemon:
            verdict = verifier.verdict(120)
            feed = daemon.feed()
            self.assertTrue(verdict.endswith(harness.EXACT), f"{verdict}\n{verifier.output()}\n{daemon.errors()}")
            if status:
                status(feed)
            daemon.process.terminate()
            self.assertEqual(daemon.wait(30), 0, daemon.errors())

    def test_two_hundred_cuts_lose_and_double_nothing(self):
        self.run_exactly(self.file, ["--fault", "cut:100"], {},
                         lambda feed: self.assertGreaterEqual(feed["reconnects"], 200, feed))

    def test_cuts_of_a_zlib_stream(self):
        self.run_exactly(self.file, ["--fault", "cut:500", "--compression", "zlib-stream", "--payload", "block"],
                         {"feed.default.compression": "zlib-stream", "feed.default.payload": "block"},
                         lambda feed: self.assertGreaterEqual(feed["reconnects"], 3, feed))

    def test_one_byte_at_a_time(self):
        self.run_exactly(self.small, ["--fault", "slice:1"], {})

    def test_repeats_are_dropped_and_counted(self):
        def status(feed):
            self.assertGreater(feed["sequence_repeats"], 0)
            self.assertEqual(feed["gaps"], 0)
        self.run_exactly(self.file, ["--fault", "repeat:50@10000"], {}, status)

    def test_the_next_address_is_tried(self):
        with self.broker() as broker, Exchange("--file", self.small) as exchange, \
                Verifier(self.small, broker.servers, "ticks") as verifier, \
                Daemon(broker.servers, FAST, config=f"""
[feed.default]
hosts = ["127.0.0.1:1", "{exchange.host}:{exchange.port}"]
""") as daemon:
            self.assertTrue(verifier.verdict().endswith(harness.EXACT), daemon.errors())
            self.assertIn("127.0.0.1:1", daemon.errors())


if __name__ == "__main__":
    unittest.main(verbosity=2)
