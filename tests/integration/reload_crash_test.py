#!/usr/bin/env python3
"""Reloads, and kill -9 in the middle of them: a real broker's topics are exact at the end, in both exact modes."""
import pathlib
import random
import signal
import tempfile
import time
import unittest

from harness import EXACT, SEED, Daemon, Exchange, Kafka, Verifier, generate

MESSAGES = 40_000
FEEDS = "ab"


class ReloadCrash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka()
        cls.addClassCleanup(cls.kafka.end)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-reload-")
        self.addCleanup(self.folder.cleanup)
        self.random = random.Random(SEED)

    def config(self, delivery: str, feeds: str) -> str:
        """The feeds with what a reload changes drawn anew."""
        text = f'[producer]\n"linger.ms" = {self.random.randrange(1, 9)}\n'
        for name in feeds:
            exchange = self.exchanges[name]
            text += (f'[feed.{name}]\nhost = "{exchange.host}"\nport = {exchange.port}\ntopic = "{delivery}-{name}"\n'
                     f'dead_letter_topic = "dead"\ntime_zone = "UTC"\ndelivery = "{delivery}"\n'
                     f'reconnect_max = "{self.random.randrange(1, 9)}s"\n')
        return text

    def attack(self, delivery: str):
        print(f"seed {SEED}")
        self.files, self.exchanges = {}, {}
        for name in FEEDS:
            self.kafka.topic(f"{delivery}-{name}", 3)
            self.files[name] = generate(pathlib.Path(self.folder.name) / f"{name}.itch", MESSAGES, ord(name))
            self.exchanges[name] = Exchange("--file", self.files[name], "--rate", 4_000)
            self.addCleanup(self.exchanges[name].end)
        deadline = time.monotonic() + 25
        while time.monotonic() < deadline:
            with Daemon(self.kafka.servers, {"http.listen": "127.0.0.1:0"}, config=self.config(delivery, FEEDS)) as daemon:
                for _ in range(self.random.randrange(1, 5)):
                    time.sleep(self.random.uniform(0, 1.5))
                    feeds = self.random.choice(["ab", "ab", "a", "b"])
                    (pathlib.Path(daemon.folder.name) / "tickbridge.toml").write_text(self.config(delivery, feeds))
                    daemon.signal(signal.SIGHUP)
                time.sleep(self.random.uniform(0, 0.5))
                daemon.signal(signal.SIGKILL)
                daemon.process.wait()
        with Daemon(self.kafka.servers, {}, "--exit-at-end", config=self.config(delivery, FEEDS)) as daemon:
            self.assertEqual(daemon.wait(120), 0, daemon.errors())
            told = daemon.errors()
        for name in FEEDS:
            with Verifier(self.files[name], self.kafka.servers, f"{delivery}-{name}", "--isolation", "read_committed",
                          follow=False) as verifier:
                self.assertIn(EXACT, verifier.verdict(), f"seed {SEED}\n{told}")

    def test_exactly_once(self):
        self.attack("exactly_once")

    def test_transactional(self):
        self.attack("transactional")


if __name__ == "__main__":
    unittest.main(verbosity=2)
