#!/usr/bin/env python3
"""Feeds that come and go while the daemon runs: by SIGHUP and by the clock. Every topic is exact at the end."""
import datetime
import pathlib
import signal
import tempfile
import time
import unittest

from harness import EXACT, Daemon, EmbeddedBroker, Exchange, Verifier, generate

MESSAGES = 30_000
ZONE = "UTC"


def clock(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%H:%M:%S")


class Reload(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-reload-")
        self.addCleanup(self.folder.cleanup)
        self.broker = EmbeddedBroker({"a": 3, "b": 3, "c": 3, "dead": 1})
        self.addCleanup(self.broker.end)
        self.files = {}
        self.exchanges = {}
        self.lines: dict[str, list[str]] = {}
        self.more = ""
        self.daemon = None

    def feed(self, name: str, *arguments, lines=()):
        """A feed with an exchange of its own, which is slow enough to be met in the middle."""
        seed = ord(name)
        self.files[name] = generate(pathlib.Path(self.folder.name) / f"{name}.itch", MESSAGES, seed)
        self.exchanges[name] = Exchange("--file", self.files[name], *(arguments or ("--rate", 10_000)))
        self.addCleanup(self.exchanges[name].end)
        self.lines[name] = list(lines)

    def config(self) -> str:
        text = ""
        for name, lines in self.lines.items():
            exchange = self.exchanges[name]
            text += "\n".join([f"[feed.{name}]", f'host = "{exchange.host}"', f"port = {exchange.port}", f'topic = "{name}"',
                               'dead_letter_topic = "dead"', f'time_zone = "{ZONE}"', *lines, ""])
        return text + self.more

    def start(self, *arguments):
        self.daemon = Daemon(self.broker.servers, {}, *arguments, config=self.config())
        self.addCleanup(self.daemon.end)

    def write(self, text: str | None = None):
        (pathlib.Path(self.daemon.folder.name) / "tickbridge.toml").write_text(self.config() if text is None else text)

    def reload(self, text: str | None = None) -> str:
        """SIGHUP with the configuration as it is now; what the daemon has said since."""
        before = len(self.daemon.errors())
        self.write(text)
        self.daemon.signal(signal.SIGHUP)
        self.await_new(before, "reload: (done|the configuration stays)")
        return self.daemon.errors()[before:]

    def await_new(self, before: int, pattern: str):
        import re
        deadline = time.monotonic() + 30
        while not re.search(pattern, self.daemon.errors()[before:]):
            self.assertLess(time.monotonic(), deadline, self.daemon.errors())
            time.sleep(0.01)

    def acknowledged(self, name: str, messages: int) -> dict:
        return self.daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= messages, name=name)

    def must_be_exact(self, *names: str):
        for name in names:
            with Verifier(self.files[name], self.broker.servers, name, follow=False) as verifier:
                verdict = verifier.verdict()
            self.assertIn(EXACT, verdict, f"{name}: {verdict}\n{self.daemon.errors()}")

    def stops_cleanly(self):
        self.daemon.signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(), 0, self.daemon.errors())

    # --- by SIGHUP ---

    def test_a_feed_is_added_and_the_one_that_runs_does_not_notice(self):
        self.feed("a")
        self.start()
        self.acknowledged("a", 5_000)
        self.feed("b")
        self.reload()
        self.acknowledged("b", MESSAGES)
        feed = self.acknowledged("a", MESSAGES)
        self.assertEqual(feed["reconnects"], 0)
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def test_a_feed_is_removed_at_a_checkpoint_and_goes_on_when_it_is_back(self):
        self.feed("a")
        self.feed("b")
        self.start()
        self.acknowledged("b", 5_000)
        threads = len(list(pathlib.Path(f"/proc/{self.daemon.pid}/task").iterdir()))
        removed = self.lines.pop("b")
        self.reload()
        self.daemon.await_text(r"feed b: has ended \[feed-left\]\n", stream="err")
        self.assertNotIn("b", self.daemon.status()["feeds"])
        self.assertNotIn('feed="b"', self.daemon.get("/metrics")[1])
        self.assertEqual(self.daemon.get("/readyz")[0], 200)
        self.assertIn("ends at a checkpoint: it is not in the configuration any more", self.daemon.errors())
        self.assertLessEqual(len(list(pathlib.Path(f"/proc/{self.daemon.pid}/task").iterdir())), threads)
        self.lines["b"] = removed
        self.reload()
        self.acknowledged("b", MESSAGES)
        self.acknowledged("a", MESSAGES)
        self.assertEqual(self.daemon.feed("b")["messages_skipped"], 0, "it ended cleanly")
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def test_a_feed_whose_options_change_begins_anew_and_nobody_else_does(self):
        self.feed("a")
        self.feed("b")
        self.start()
        self.acknowledged("b", 5_000)
        self.lines["b"] = ['reconnect_max = "3s"', 'headers = ["sequence"]']
        told = self.reload()
        self.assertIn("reload: feed.b.reconnect_max has changed", told)
        self.assertIn("reload: feed.b.headers has changed", told)
        self.acknowledged("b", MESSAGES)
        self.acknowledged("a", MESSAGES)
        self.assertEqual(self.daemon.errors().count("feed a: owned"), 1)
        self.assertEqual(self.daemon.errors().count("feed b: owned"), 2)
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def test_producer_settings_are_taken_over_by_all_feeds(self):
        self.feed("a")
        self.feed("b")
        self.start()
        self.acknowledged("b", 3_000)
        self.more = '[producer]\n"linger.ms" = 1\n"buffer.memory" = 8388608\n'
        told = self.reload()
        self.assertIn("reload: producer.linger.ms has changed", told)
        for name in "ab":
            self.acknowledged(name, MESSAGES)
            self.assertEqual(self.daemon.errors().count(f"feed {name}: owned"), 2)
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def test_what_takes_a_restart_is_named_each_time_and_the_rest_is_taken_over(self):
        self.feed("a")
        self.start()
        self.acknowledged("a", 1_000)
        self.more = '[pipeline]\nworkers = 3\n[producer]\n"security.protocol" = "ssl"\n[log]\nlevel = "debug"\n'
        for _ in range(2):
            told = self.reload()
            self.assertIn("reload: pipeline.workers has changed and needs a restart", told)
            self.assertIn("reload: producer.security.protocol has changed and needs a restart", told)
            self.assertIn("log.level is debug", told)
        self.acknowledged("a", MESSAGES)
        self.assertEqual(self.daemon.errors().count("feed a: owned"), 1)
        self.stops_cleanly()
        self.must_be_exact("a")

    def test_a_broken_file_changes_nothing(self):
        self.feed("a")
        self.start()
        self.acknowledged("a", 1_000)
        for broken, told in (("[feed.a\n", "toml:1"), ('[feed.a]\ntopci = "x"\n', "topic"), ("", "no feed|address|port")):
            if broken:
                said = self.reload(broken)
                self.assertIn("reload: the configuration stays as it is", said)
                self.assertRegex(said, told)
        (pathlib.Path(self.daemon.folder.name) / "tickbridge.toml").unlink()
        before = len(self.daemon.errors())
        self.daemon.signal(signal.SIGHUP)
        self.await_new(before, "reload: the configuration stays as it is: .*cannot be read")
        self.acknowledged("a", MESSAGES)
        self.stops_cleanly()
        self.must_be_exact("a")

    def test_another_feed_takes_a_topic_over_when_the_one_before_has_left(self):
        self.feed("a")
        self.start()
        self.acknowledged("a", 5_000)
        lines = self.lines.pop("a")
        exchange = self.exchanges["a"]
        text = (f'[feed.heir]\nhost = "{exchange.host}"\nport = {exchange.port}\ntopic = "c"\ndead_letter_topic = "dead"\n'
                f'time_zone = "{ZONE}"\n')
        del lines
        self.reload(text)
        self.acknowledged("heir", MESSAGES)
        self.assertLess(self.daemon.errors().index("feed a: has ended"), self.daemon.errors().index("feed heir: owned"))
        self.stops_cleanly()
        self.files["c"] = self.files["a"]
        self.must_be_exact("c")

    def test_a_storm_of_signals_does_no_harm(self):
        self.feed("a")
        self.feed("b")
        self.start()
        self.acknowledged("b", 2_000)
        kept = self.lines["b"]
        for turn in range(12):
            if turn % 2 == 0:
                self.lines.pop("b")
            else:
                self.lines["b"] = kept + [f'reconnect_max = "{turn + 1}s"']
            self.write()
            self.daemon.signal(signal.SIGHUP)
            time.sleep(0.05 * (turn % 4))
        self.await_quiet()
        self.lines["b"] = kept
        self.reload()
        for name in "ab":
            self.acknowledged(name, MESSAGES)
        self.assertEqual(self.daemon.errors().count("feed a: owned"), 1)
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def await_quiet(self):
        """The reload that runs is over: another is taken."""
        deadline = time.monotonic() + 30
        while True:
            before = len(self.daemon.errors())
            self.daemon.signal(signal.SIGHUP)
            self.await_new(before, "reload: (done|not now)")
            if "reload: done" in self.daemon.errors()[before:]:
                return
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    # --- by the clock ---

    def test_a_feed_is_closed_outside_its_hours_and_opens_at_its_time(self):
        opens = time.time() + 3
        self.feed("a", lines=[f'hours = "{clock(opens)}-{clock(opens + 40_000)}"'])
        self.feed("b")
        self.start()
        self.acknowledged("b", 1)
        self.assertEqual(self.daemon.feed("a")["state"], "closed")
        self.assertEqual(self.daemon.get("/readyz")[0], 200)
        self.daemon.await_text(r"feed a: closed until \d{4}-\d\d-\d\d " + clock(opens) + " UTC", stream="err")
        self.acknowledged("a", MESSAGES)
        self.acknowledged("b", MESSAGES)
        self.stops_cleanly()
        self.must_be_exact("a", "b")

    def test_a_feed_ends_with_its_hours_holds_nothing_and_goes_on_with_the_next(self):
        closes = time.time() + 4
        self.feed("a", "--rate", 3_000, lines=[f'hours = "{clock(closes - 40_000)}-{clock(closes)}"'])
        self.start()
        self.acknowledged("a", 1_000)
        closed = self.daemon.await_feed(lambda feed: feed["state"] == "closed", name="a")
        self.assertLess(closed["messages_acknowledged"], MESSAGES)
        self.daemon.await_text(r"feed a: has ended \[feed-left\]\n", stream="err")
        self.assertIn("feed a: ends at a checkpoint: its hours are over", self.daemon.errors())
        port = f":{self.exchanges['a'].port:04X}"
        table = [line.split() for line in pathlib.Path(f"/proc/{self.daemon.pid}/net/tcp").read_text().splitlines()]
        established = [row for row in table if row[2].endswith(port) and row[3] == "01"]
        self.assertEqual(established, [], "a connection to the exchange at night")
        self.assertEqual(self.daemon.get("/readyz")[0], 200)
        self.lines["a"] = []
        self.reload()
        self.acknowledged("a", MESSAGES)
        self.assertEqual(self.daemon.feed("a")["messages_skipped"], 0)
        self.stops_cleanly()
        self.must_be_exact("a")

    def test_an_exchange_that_is_late_in_the_morning_is_waited_for(self):
        opens = time.time() + 2
        self.feed("a", "--rate", 30_000)
        exchange = self.exchanges["a"]
        self.lines["a"] = [f'hours = "{clock(opens)}-{clock(opens + 40_000)}"']
        self.more = 'startup_timeout = "1s"\n'
        port = exchange.port
        exchange.end()
        text = self.more + self.config().replace(self.more, "")
        self.daemon = Daemon(self.broker.servers, {"feed.a.reconnect_max": "200ms"}, config=text)
        self.addCleanup(self.daemon.end)
        self.daemon.await_feed(lambda feed: feed["state"] == "connecting", name="a")
        time.sleep(2)  # longer than startup_timeout, which is for the daemon's start
        self.exchanges["a"] = Exchange("--file", self.files["a"], "--port", port)
        self.addCleanup(self.exchanges["a"].end)
        self.acknowledged("a", MESSAGES)
        self.stops_cleanly()
        self.must_be_exact("a")


if __name__ == "__main__":
    unittest.main(verbosity=2)
