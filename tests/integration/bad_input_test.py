#!/usr/bin/env python3
"""Bad input of every kind: the daemon stays up, or exits as the contract says; counters and dead letters tell."""
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import harness
from harness import TOOLS, Daemon, EmbeddedBroker, Exchange, Verifier

FAST = {"feed.default.reconnect_min": "1ms", "feed.default.reconnect_max": "20ms"}


def dead_letters(servers: str, file) -> str:
    """What tickbridge-verify says of the dead letters, by reason."""
    done = subprocess.run([TOOLS / "tickbridge-verify", "--file", file, "--bootstrap", servers, "--topic", "ticks",
                           "--dead-letters", "ticks.dead"], capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {harness.SEED} (TICKBRIDGE_SEED repeats it)", flush=True)
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 3000)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def broker(self):
        return EmbeddedBroker({"ticks": 5, "ticks.dead": 1})

    def run_exactly(self, flags, settings, check, served=None):
        """The topic must hold what the file says, whatever `flags` did; `check` looks at the daemon."""
        with self.broker() as broker, Exchange("--file", self.file, *flags) as exchange, \
                Verifier(served or self.file, broker.servers, "ticks", "--timeout", 20) as verifier, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **settings}) as daemon:
            verdict = verifier.verdict(60)
            self.assertTrue(verdict.endswith(harness.EXACT), f"{verdict}\n{verifier.output()}\n{daemon.errors()}")
            check(daemon, broker)
            self.assertIsNone(daemon.process.poll(), daemon.errors())

    def exits_with(self, code: int, flags, settings, pattern: str):
        with self.broker() as broker, Exchange("--file", self.file, *flags) as exchange, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **settings}) as daemon:
            self.assertEqual(daemon.wait(30), code, daemon.errors())
            self.assertRegex(daemon.errors(), pattern)

    # --- the connection ---

    def test_garbage_after_the_login(self):
        self.run_exactly(["--fault", "garbage@0"], {}, self.one_protocol_error)

    def test_garbage_in_the_middle(self):
        self.run_exactly(["--fault", "garbage@1000"], {}, self.one_protocol_error)

    def test_a_packet_of_length_0(self):
        self.run_exactly(["--fault", "bad-length@1000"], {}, self.one_protocol_error)

    def one_protocol_error(self, daemon, _):
        self.assertGreaterEqual(daemon.feed()["reconnects"], 1)
        self.assertGreaterEqual(daemon.metric("tickbridge_feed_protocol_errors_total"), 1)

    def test_a_server_that_goes_silent(self):
        self.run_exactly(["--fault", "stall:30@1000"], {"feed.default.soupbintcp.silence": "500ms", "feed.default.soupbintcp.heartbeat": "100ms"},
                         lambda daemon, _: self.assertGreaterEqual(daemon.feed()["reconnects"], 1))

    def test_a_server_that_never_answers_the_login(self):
        self.run_exactly(["--fault", "silent-login:2"], {"feed.default.soupbintcp.silence": "500ms", "feed.default.soupbintcp.heartbeat": "100ms"},
                         lambda daemon, _: self.assertIn("since the login was sent", daemon.errors()))

    def test_a_server_that_answers_another_session(self):
        # A learnt session is asked for after a cut, and another one is answered; then the first one again.
        def start(broker, exchange, delivery):
            return Daemon(broker.servers, {**FAST, **harness.address(exchange), "feed.default.delivery": delivery})

        faults = ["--fault", "cut:1000", "--fault", "other-session:1"]
        with self.broker() as broker, Exchange("--file", self.file, *faults) as exchange, \
                start(broker, exchange, "at_least_once") as daemon:
            daemon.await_feed(lambda feed: feed["state"] == "ended" and
                              daemon.metric("tickbridge_feed_session_changes_total") >= 1)
            self.assertRegex(daemon.errors(), "the last one was")
        with self.broker() as broker, Exchange("--file", self.file, *faults) as exchange, \
                start(broker, exchange, "exactly_once") as daemon:
            self.assertEqual(daemon.wait(30), 65, daemon.errors())
            self.assertRegex(daemon.errors(), "has come back, .* would be written again; start once with --start")

    def test_nobody_there(self):
        with self.broker() as broker, \
                Daemon(broker.servers, {**FAST, "feed.default.host": "127.0.0.1", "feed.default.port": 1,
                                        "startup_timeout": "1s"}) as daemon:
            self.assertEqual(daemon.wait(20), 69, daemon.errors())
            self.assertIn("127.0.0.1:1", daemon.errors())

    # --- the login ---

    def test_a_login_rejected_as_not_authorised(self):
        self.exits_with(76, ["--fault", "reject:A"], {}, "not authorised")

    def test_a_wrong_password(self):
        self.exits_with(76, ["--username", "me", "--password", "secret"], {"feed.default.username": "me"}, "password_file")

    def test_a_session_that_is_not_available_yet(self):
        self.run_exactly(["--fault", "reject:S:3"], {},
                         lambda daemon, _: self.assertEqual(daemon.metric("tickbridge_feed_logins_rejected_total"), 3))

    # --- the sequence ---

    def test_a_gap_is_counted_and_told_and_the_feed_goes_on(self):
        with self.broker() as broker, Exchange("--file", self.file, "--fault", "skip:100@1000") as exchange, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange)}, "--exit-at-end") as daemon:
            self.assertEqual(daemon.wait(30), 0, daemon.errors())
            self.assertRegex(daemon.errors(), "gap in session .*: sequences 1001 to 1100")

    def test_a_gap_stops_the_feed_when_told_to(self):
        self.exits_with(65, ["--fault", "skip:100@1000"], {"feed.default.on_gap": "stop"}, 'on_gap = "stop"')

    def test_repeats(self):
        self.run_exactly(["--fault", "repeat:100@1000"], {},
                         lambda daemon, _: self.assertEqual(daemon.feed()["sequence_repeats"], 100, daemon.errors()))

    # --- packets and messages ---

    def test_a_truncated_zlib_packet_is_one_dead_letter(self):
        self.run_exactly(["--compression", "zlib", "--payload", "block", "--fault", "truncate-zlib@50"],
                         {"feed.default.compression": "zlib", "feed.default.payload": "block"},
                         lambda daemon, broker: self.dead(daemon, broker, "inflate"))

    def test_a_bomb_is_one_dead_letter(self):
        self.run_exactly(["--compression", "zlib", "--payload", "block", "--fault", "bomb@50"],
                         {"feed.default.compression": "zlib", "feed.default.payload": "block"},
                         lambda daemon, broker: self.dead(daemon, broker, "inflate_limit"))

    def test_a_broken_zlib_stream_is_connected_again(self):
        self.run_exactly(["--compression", "zlib-stream", "--fault", "truncate-zlib@1000"],
                         {"feed.default.compression": "zlib-stream"},
                         lambda daemon, _: self.assertGreaterEqual(daemon.feed()["reconnects"], 1))

    def test_a_bomb_in_a_zlib_stream_is_stopped(self):
        self.run_exactly(["--compression", "zlib-stream", "--fault", "bomb@1000"],
                         {"feed.default.compression": "zlib-stream"},
                         lambda daemon, _: self.assertGreaterEqual(daemon.feed()["reconnects"], 1))

    def test_invalid_messages_are_dead_letters_with_their_reasons(self):
        def check(daemon, broker):
            feed = daemon.await_feed(lambda feed: feed["state"] == "ended" and
                                     feed["messages_acknowledged"] == feed["messages_committed"])
            self.assertGreater(feed["messages_dead_lettered"], 100)
            self.await_letters(broker, "length", "time")
        self.run_exactly(["--fault", "invalid:20"], {}, check)

    def test_invalid_messages_are_dropped_when_told_to(self):
        def check(daemon, _):
            feed = daemon.await_feed(lambda feed: feed["state"] == "ended")
            self.assertGreater(feed["messages_dropped"], 100)
            self.assertEqual(feed["messages_dead_lettered"], 0)
        self.run_exactly(["--fault", "invalid:20"], {"feed.default.on_invalid": "drop"}, check)

    def test_an_invalid_message_stops_the_feed_when_told_to(self):
        self.exits_with(65, ["--fault", "invalid:20"], {"feed.default.on_invalid": "stop"}, 'on_invalid = "stop"')

    def test_debug_and_unsequenced_packets_are_not_counted(self):
        self.run_exactly(["--fault", "debug:7", "--fault", "unsequenced:11"], {},
                         lambda daemon, _: self.assertGreater(
                             daemon.metric("tickbridge_feed_packets_unsequenced_total"), 300))

    def test_a_frame_longer_than_the_limit(self):
        with self.broker() as broker, \
                Exchange("--file", self.file, "--transport", "frames", "--payload", "block",
                         "--packet-messages", "100") as exchange, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), "feed.default.transport": "frames",
                                        "feed.default.payload": "block", "feed.default.delivery": "at_most_once",
                                        "feed.default.frames.max_packet_bytes": 500}) as daemon:
            daemon.await_text("longer than max_packet_bytes", stream="err")
            daemon.await_feed(lambda feed: feed["reconnects"] >= 2)

    def test_a_refusal_that_comes_while_the_daemon_stops_is_not_a_good_end(self):
        with EmbeddedBroker({"ticks": 1, "ticks.dead": 1}) as broker, \
                Exchange("--generate", "2000", "--rate", "1000") as exchange, \
                Daemon(broker.servers, harness.address(exchange), "--exit-at-end") as daemon:
            daemon.await_feed(lambda feed: feed["messages_committed"] >= 100)
            broker.tell("fault produce:INVALID_RECORD*50@300")
            time.sleep(0.1)  # a request with data meets it; the answer comes when the daemon stops
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(60), 65, daemon.errors())

    def test_a_reader_of_the_log_that_leaves_does_not_end_the_daemon(self):
        with self.broker() as broker, Exchange("--file", self.file, "--fault", "cut:100") as exchange, \
                Verifier(self.file, broker.servers, "ticks") as verifier:
            words = {**FAST, **harness.address(exchange), "producer.bootstrap.servers": broker.servers, "http.listen": ""}
            daemon = subprocess.Popen([harness.BIN / "tickbridge", *[w for k, v in words.items() for w in ("--set", f"{k}={v}")]],
                                      stderr=subprocess.PIPE)
            try:
                daemon.stderr.readline()
                daemon.stderr.close()
                self.assertTrue(verifier.verdict(60).endswith(harness.EXACT), verifier.output())
                daemon.terminate()
                self.assertEqual(daemon.wait(30 * harness.SLOW), 0)
            finally:
                daemon.kill()
                daemon.wait()

    def dead(self, daemon, broker, reason):
        daemon.await_feed(lambda feed: feed["messages_dead_lettered"] == 1)
        self.await_letters(broker, reason)

    def await_letters(self, broker, *reasons):
        """The counters count at hand-over: the records may reach the topic a little later."""
        deadline = time.monotonic() + 20 * harness.SLOW
        while not all(reason in (told := dead_letters(broker.servers, self.file)) for reason in reasons):
            self.assertLess(time.monotonic(), deadline, f"{reasons} not in {told}")
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
