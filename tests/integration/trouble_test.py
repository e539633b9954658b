#!/usr/bin/env python3
"""What goes wrong around a daemon: each gives a clear message and the right exit code, or the daemon goes on and is exact."""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest
from unittest import mock

from harness import BIN, EXACT, Daemon, EmbeddedBroker, Exchange, Verifier, address, generate

MESSAGES = 30_000


class Trouble(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-trouble-")
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def world(self, *arguments):
        self.broker = EmbeddedBroker({"ticks": 3, "ticks.dead": 1})
        self.addCleanup(self.broker.end)
        self.file = generate(self.path / "day.itch", MESSAGES)
        self.exchange = Exchange("--file", self.file, *(arguments or ("--rate", 15_000)))
        self.addCleanup(self.exchange.end)

    def daemon(self, settings=None, *arguments, **more) -> Daemon:
        daemon = Daemon(self.broker.servers, {**address(self.exchange), **(settings or {})}, *arguments, **more)
        self.addCleanup(daemon.end)
        return daemon

    def leaves(self, daemon: Daemon, code: int, *told: str):
        self.assertEqual(daemon.wait(60), code, daemon.errors())
        for text in told:
            self.assertIn(text, daemon.errors())

    def must_be_exact(self):
        with Verifier(self.file, self.broker.servers, "ticks", follow=False) as verifier:
            self.assertIn(EXACT, verifier.verdict())

    # --- files and addresses ---

    def test_a_missing_configuration_is_named(self):
        self.world()
        self.leaves(self.daemon({}, "--config", "/nowhere/tickbridge.toml"), 78, "/nowhere/tickbridge.toml", "cannot be read")

    def test_a_missing_password_file_is_named(self):
        self.world()
        self.leaves(self.daemon({"feed.default.password_file": "/nowhere/password"}), 78, "password_file", "/nowhere/password")

    def test_a_port_in_use_is_named(self):
        self.world()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            self.leaves(self.daemon({"http.listen": listen}), 69, listen, "in use")

    def test_a_broker_that_is_not_there_is_named(self):
        self.world()
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            servers = f"127.0.0.1:{nobody.getsockname()[1]}"
            self.leaves(self.daemon({"producer.bootstrap.servers": servers, "startup_timeout": "2s"}), 69, servers)

    def test_a_host_that_nobody_knows_is_named(self):
        self.world()
        self.leaves(self.daemon({"feed.default.host": "no.such.host.invalid", "startup_timeout": "2s"}), 69,
                    "no.such.host.invalid", "cannot reach the exchange", "startup_timeout")

    def test_a_wrong_password_is_the_exchanges_word(self):
        self.world("--username", "ME", "--password", "right")
        (self.path / "password").write_text("wrong\n")
        self.leaves(self.daemon({"feed.default.username": "ME", "feed.default.password_file": self.path / "password"}), 76,
                    "not authori")

    # --- disks ---

    def test_a_log_on_a_full_disk_does_not_stop_a_feed(self):
        self.world()
        words = [BIN / "tickbridge", "--exit-at-end", "--set", f"producer.bootstrap.servers={self.broker.servers}", "--set",
                 "http.listen=", "--set", "log.level=debug"]
        for key, value in address(self.exchange).items():
            words += ["--set", f"{key}={value}"]
        with open("/dev/full", "wb") as full:
            done = subprocess.run([str(word) for word in words], stdout=full, stderr=full, timeout=120, check=False)
        self.assertEqual(done.returncode, 0)
        self.must_be_exact()

    def test_nothing_is_written_where_it_runs(self):
        self.world()
        readonly = self.path / "readonly"
        readonly.mkdir()
        before = os.getcwd()
        os.chdir(readonly)
        os.chmod(readonly, 0o555)
        try:
            daemon = self.daemon({}, "--exit-at-end")
        finally:
            os.chdir(before)
        self.leaves(daemon, 0)
        self.assertEqual(list(readonly.iterdir()), [])
        self.must_be_exact()

    # --- time ---

    def test_a_clock_that_jumps_neither_stalls_nor_loses_anything(self):
        self.world("--rate", 5_000)
        clock = self.clock(0)
        daemon = self.daemon()
        for done, seconds in ((5_000, 3_600), (10_000, -7_200), (15_000, 86_400 * 400), (20_000, 0)):
            daemon.await_feed(lambda feed, done=done: feed["messages_acknowledged"] >= done)
            self.jump(clock, seconds)
        feed = daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= MESSAGES)
        self.assertEqual((feed["reconnects"], feed["gaps"]), (0, 0))
        self.assertEqual(daemon.get("/healthz")[0], 200)
        daemon.signal(signal.SIGTERM)
        self.leaves(daemon, 0)
        self.must_be_exact()

    def test_a_clock_that_jumps_over_the_closing_hour_closes_the_feed(self):
        self.world("--rate", 100)
        clock = self.clock(0)
        noon = time.strftime("%H:%M:%S", time.gmtime(time.time() - 3_600))
        later = time.strftime("%H:%M:%S", time.gmtime(time.time() + 3_600))
        daemon = self.daemon({"feed.default.hours": f"{noon}-{later}", "feed.default.time_zone": "UTC"})
        daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 0)
        self.jump(clock, 7_200)
        daemon.await_feed(lambda feed: feed["state"] == "closed", seconds=60)  # the clock is looked at twice a minute
        self.jump(clock, 0)
        daemon.await_feed(lambda feed: feed["state"] == "streaming", seconds=60)

    def clock(self, seconds: float) -> pathlib.Path:
        """The daemons that start from here on have a clock that jump() moves."""
        clock = self.path / "clock"
        self.jump(clock, seconds)
        moved = mock.patch.dict(os.environ, {"LD_PRELOAD": str(BIN / "libclock_shim.so"), "CLOCK_SHIM": str(clock)})
        start = Daemon.__init__

        def preloaded(daemon, *arguments, **more):
            with moved:
                start(daemon, *arguments, **more)
        patch = mock.patch.object(Daemon, "__init__", preloaded)
        patch.start()
        self.addCleanup(patch.stop)
        return clock

    @staticmethod
    def jump(clock: pathlib.Path, seconds: float):
        with open(clock, "r+b" if clock.exists() else "wb") as file:
            file.write(struct.pack("d", seconds))


if __name__ == "__main__":
    unittest.main(verbosity=2)
