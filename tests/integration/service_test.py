#!/usr/bin/env python3
"""What systemd sees of the daemon: the notify protocol (sd_notify(3)) over a real socket, its signals, its exit codes."""
import contextlib
import ctypes
import os
import re
import signal
import socket
import tempfile
import time
import unittest
from unittest import mock

from harness import SLOW, Daemon, EmbeddedBroker, Exchange, address, threads

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Manager:
    """systemd's end of the notify socket: (time, line) of all that was said."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-notify-")
        self.path = self.folder.name + "/socket"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said: list[tuple[float, str]] = []

    def close(self):
        self.socket.close()
        self.folder.cleanup()

    def hear(self, seconds: float):
        self.socket.settimeout(max(seconds, 0.001))
        with contextlib.suppress(TimeoutError):
            for line in self.socket.recv(65536).decode().splitlines():
                self.said.append((time.monotonic(), line))

    def await_line(self, pattern: str, seconds: float = 30, since: int = 0) -> re.Match:
        """`since`: how much had been said before."""
        deadline = time.monotonic() + seconds * SLOW
        while True:
            for _, line in self.said[since:]:
                if match := re.fullmatch(pattern, line):
                    return match
            assert time.monotonic() < deadline, f"never said: {pattern}\n{self.lines(since)}"
            self.hear(0.1)

    def listen(self, seconds: float) -> list[str]:
        """What is said in this time."""
        since, end = len(self.said), time.monotonic() + seconds
        while time.monotonic() < end:
            self.hear(end - time.monotonic())
        return self.lines(since)

    def lines(self, since: int = 0) -> list[str]:
        return [line for _, line in self.said[since:]]


@contextlib.contextmanager
def held(pid: int, thread: int):
    """One thread of a process stands still, as in an endless loop that does nothing."""
    def call(request):
        if LIBC.ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace({request:#x}) of thread {thread} of {pid}")
    call(PTRACE_SEIZE)
    try:
        call(PTRACE_INTERRUPT)
        os.waitpid(thread, 0x40000000)  # __WALL
        yield
    finally:
        call(PTRACE_DETACH)


class Service(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)
        self.broker = EmbeddedBroker({"ticks": 3, "ticks.dead": 1})
        self.addCleanup(self.broker.end)

    def exchange(self, *arguments) -> Exchange:
        exchange = Exchange("--generate", 20_000, *(arguments or ("--rate", 2_000)))
        self.addCleanup(exchange.end)
        return exchange

    def daemon(self, settings: dict, *arguments, watchdog_ms: int = 0, **more) -> Daemon:
        said_to = {"NOTIFY_SOCKET": self.manager.path}
        if watchdog_ms:
            said_to["WATCHDOG_USEC"] = str(watchdog_ms * 1000)
        with mock.patch.dict(os.environ, said_to):
            daemon = Daemon(self.broker.servers, settings, *arguments, **more)
        self.addCleanup(daemon.end)
        return daemon

    def test_is_ready_when_the_feed_is_logged_in_and_asks_for_time_until_then(self):
        port = free_port()
        daemon = self.daemon({"feed.default.host": "127.0.0.1", "feed.default.port": port})
        self.manager.await_line("STATUS=starting: feed default, which is connecting")
        self.manager.await_line(r"EXTEND_TIMEOUT_USEC=\d+")
        self.assertNotIn("READY=1", self.manager.listen(1))
        self.exchange("--port", port, "--rate", 2_000)
        self.manager.await_line("READY=1")
        self.assertEqual(daemon.get("/readyz")[0], 200)
        self.manager.await_line(r"STATUS=default streaming, \d+ messages acknowledged")
        since = len(self.manager.said)
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0, daemon.errors())
        self.manager.await_line("STOPPING=1", since=since)
        self.manager.await_line("EXTEND_TIMEOUT_USEC=40000000", since=since)
        self.manager.await_line("STATUS=stopping: .*", since=since)

    def test_a_start_without_an_exchange_is_never_ready(self):
        daemon = self.daemon({"feed.default.host": "127.0.0.1", "feed.default.port": free_port(), "startup_timeout": "1s"})
        self.assertEqual(daemon.wait(), 69, daemon.errors())  # the manager did not read meanwhile, and was not waited for
        self.manager.listen(0.1)
        self.assertNotIn("READY=1", self.manager.lines())

    def test_a_failed_feed_does_not_keep_the_others_from_being_ready(self):
        good, bad = self.exchange(), self.exchange("--fault", "reject:A")
        settings = {**address(good, "good"), **address(bad, "bad"), "feed.bad.topic": "ticks.dead",
                    "feed.bad.dead_letter_topic": "other.dead", "feed.good.dead_letter_topic": "other.dead"}
        daemon = self.daemon(settings)
        self.manager.await_line("READY=1")
        self.manager.await_line("STATUS=.*bad failed.*")
        self.assertEqual(daemon.get("/readyz")[0], 503)

    def test_the_watchdog_is_fed_while_all_threads_make_progress(self):
        daemon = self.daemon(address(self.exchange()), watchdog_ms=600)
        self.manager.await_line("READY=1")
        daemon.await_feed(lambda feed: feed["state"] == "streaming")
        fed = self.manager.listen(3).count("WATCHDOG=1")  # the feed has nothing to say: its workers sleep, and are healthy
        self.assertGreaterEqual(fed, 5)
        self.assertEqual(daemon.get("/healthz")[0], 200)

    def test_a_worker_that_hangs_is_seen_and_so_is_its_recovery(self):
        exchange = self.exchange("--loop", 1000)
        daemon = self.daemon({**address(exchange), "pipeline.workers": 1}, watchdog_ms=600)
        self.hold_until_seen(daemon, "worker-0", "a worker makes no progress|the delivery thread makes no progress")

    def test_a_delivery_thread_that_hangs_is_seen(self):
        daemon = self.daemon(address(self.exchange()), watchdog_ms=600)
        self.hold_until_seen(daemon, "delivery", "the delivery thread makes no progress")

    def hold_until_seen(self, daemon, name: str, told: str):
        self.manager.await_line("READY=1")
        thread = next(int(task) for task, facts in threads(daemon.pid).items() if facts[0] == name)
        for _ in range(5):  # a worker that is caught asleep is healthy
            with held(daemon.pid, thread):
                try:
                    self.manager.await_line(f"STATUS=({told}); .*", seconds=14)
                except AssertionError:
                    continue
                self.assertNotIn("WATCHDOG=1", self.manager.listen(2))
                code, why = daemon.get("/healthz")
                self.assertEqual(code, 503)
                self.assertRegex(why, "^(a worker|the delivery thread) makes no progress$")  # one may hold what the other waits for
            since = len(self.manager.said)
            self.manager.await_line("WATCHDOG=1", since=since)
            return self.assertRegex(daemon.errors(), f"({told}): the service manager's watchdog is not answered")
        self.fail("never caught at work")

    def test_a_reload_is_told_from_its_beginning_to_its_end(self):
        exchange = self.exchange()
        config = f'[feed.default]\nport = {exchange.port}\nhost = "{exchange.host}"\n'
        daemon = self.daemon({}, config=config)
        self.manager.await_line("READY=1")
        path = daemon.folder.name + "/tickbridge.toml"
        for text, told in ((config + '[log]\nlevel = "debug"\n', "reload: done, log.level is debug"),
                           ("[feed.default]\nprot = 1\n", "reload: the configuration stays as it is: .*prot")):
            since = len(self.manager.said)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            daemon.signal(signal.SIGHUP)
            self.manager.await_line("RELOADING=1", since=since)
            began = int(self.manager.await_line(r"MONOTONIC_USEC=(\d+)", since=since)[1])
            self.assertGreaterEqual(began, before_us)
            self.manager.await_line("READY=1", since=since)
            daemon.await_text(told, stream="err")
        self.assertEqual(daemon.feed()["state"], "streaming")


if __name__ == "__main__":
    unittest.main(verbosity=2)
