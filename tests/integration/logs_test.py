#!/usr/bin/env python3
"""The log as operators and programs read it: fields, the journal's own protocol, what is held back, and no secret."""
import collections
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import harness
from harness import BIN, Daemon, EmbeddedBroker, Exchange

FAST = {"feed.default.reconnect_min": "1ms", "feed.default.reconnect_max": "20ms"}
HELD = re.compile(r"(\d+) more lines of this event were held back")


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def occurrences(lines: list[dict], event: str) -> int:
    """How often it happened: the lines written and those held back."""
    return sum(line.get("held_back", 0) + (0 if HELD.search(line["message"]) and "(" not in line["message"] else 1)
               for line in lines if line["event"] == event)


def fields_of(datagram: bytes) -> dict[str, str]:
    """One entry of the journal's native protocol: NAME=value or NAME, a length of 64 bits, the value; lines all."""
    fields, at = {}, 0
    while at < len(datagram):
        end = datagram.index(b"\n", at)
        name, equals, value = datagram[at:end].partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", datagram, end + 1)
            value = datagram[end + 9:end + 9 + size]
            end += 9 + size
        fields[name.decode()] = value.decode()
        at = end + 1
    return fields


class JournaledDaemon(harness.Program):
    """A daemon whose standard error is the journal's stream, in a mount namespace where the journal's socket is ours."""

    def __init__(self, settings: dict):
        self.run = tempfile.TemporaryDirectory(prefix="tickbridge-journal-")
        self.path = pathlib.Path(self.run.name) / "socket"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        script = ('mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind "$1" /run/systemd/journal && '
                  'shift && JOURNAL_STREAM=$(stat -Lc %d:%i /dev/stderr) exec "$@"')
        words = ["unshare", "--mount", "--propagation", "private", *([] if os.geteuid() == 0 else ["--map-root-user"]),
                 "sh", "-c", script, "sh", self.run.name, BIN / "tickbridge"]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        super().__init__("daemon", words)

    def await_entry(self, event: str, seconds: float = 30) -> dict[str, str]:
        deadline = time.monotonic() + seconds * harness.SLOW
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                fields = fields_of(self.socket.recv(1 << 20))
            except TimeoutError:
                raise AssertionError(f"no entry of {event}\n{self.errors()}") from None
            if fields.get("EVENT") == event:
                return fields

    def end(self):
        super().end()
        self.socket.close()
        self.run.cleanup()


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.umask = os.umask(0o077)  # secrets that others may read are refused
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 3000)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        os.umask(cls.umask)

    def broker(self):
        return EmbeddedBroker({"ticks": 5, "ticks.dead": 1})

    # --- held back ---

    def test_a_storm_is_held_back_and_counted(self):
        limit = {"log.format": "json", "log.burst": 3, "log.interval": "300ms"}
        with self.broker() as broker, Exchange("--file", self.file, "--fault", "cut:3") as exchange, \
                Daemon(broker.servers, {**FAST, **limit, **harness.address(exchange)}, "--exit-at-end") as daemon:
            self.assertEqual(daemon.wait(120), 0, daemon.errors())
        lines = json_lines(daemon.errors())
        summary = [line for line in lines if line["event"] == "feed-summary"]
        self.assertEqual(len(summary), 1, lines)
        reconnects = int(re.search(r"(\d+) reconnects", summary[0]["message"])[1])
        self.assertGreater(reconnects, 50, "this was no storm")
        by_event = collections.Counter(line["event"] for line in lines)
        self.assertLess(by_event["logged-in"], reconnects, "nothing was held back")
        self.assertEqual(occurrences(lines, "logged-in"), reconnects + 1)
        self.assertTrue(all(line["feed"] == "default" for line in lines if line["event"] == "logged-in"))

    def test_what_was_held_back_is_told_and_counted_while_no_more_comes(self):
        limit = {"log.burst": 1, "log.interval": "500ms"}
        with self.broker() as broker, Exchange("--file", self.file, "--rate", 1500, "--fault", "cut:20",
                                               "--fault", "garbage@100", "--fault", "stall:600@2900") as exchange, \
                Daemon(broker.servers, {**FAST, **limit, **harness.address(exchange)}) as daemon:
            daemon.await_text(r" info .* feed default: \d+ more lines of this event were held back \[logged-in\]",
                              stream="err")
            self.assertGreater(daemon.metric("tickbridge_log_held_back_total"), 0)
            self.assertGreater(daemon.metric("tickbridge_log_lines_total", level="info"), 0)
            self.assertGreater(daemon.metric("tickbridge_log_lines_total", level="warn"), 0)
            self.assertEqual(daemon.metric("tickbridge_log_lines_total", level="error"), 0, daemon.errors())

    def test_what_ends_a_feed_is_never_held_back(self):
        with self.broker() as broker, Exchange("--file", self.file, "--fault", "reject:A") as exchange, \
                Daemon(broker.servers, {**FAST, "log.burst": 1, **harness.address(exchange)}) as daemon:
            self.assertEqual(daemon.wait(30), 76, daemon.errors())
        self.assertRegex(daemon.errors(), r"error .*feed default stops \(code 76\) \[feed-stopped\]")
        self.assertRegex(daemon.errors(), r"info .* \[stopping\]")

    # --- the journal ---

    def test_the_journal_gets_fields_and_without_it_lines_with_priorities(self):
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        settings = {"http.listen": "127.0.0.1:0", "feed.default.host": "127.0.0.1", "feed.default.port": port,
                    "feed.default.delivery": "at_most_once", "startup_timeout": "10m"}
        with self.broker() as broker, \
                JournaledDaemon({**FAST, **settings, "producer.bootstrap.servers": broker.servers}) as daemon:
            start = daemon.await_entry("starting")
            self.assertEqual(start["SYSLOG_IDENTIFIER"], "tickbridge")
            self.assertEqual(start["PRIORITY"], "6")
            self.assertEqual(start["CODE_FILE"], "src/app/application.cc")
            self.assertGreater(int(start["CODE_LINE"]), 0)
            self.assertRegex(start["MESSAGE"], r"^tickbridge starts: 1 feed\(s\).* \[starting\]$")
            self.assertNotIn("FEED", start)
            unreachable = daemon.await_entry("exchange-unreachable")
            self.assertEqual(unreachable["PRIORITY"], "4")
            self.assertEqual(unreachable["FEED"], "default")
            self.assertRegex(unreachable["MESSAGE"], f"^feed default: cannot reach the exchange at 127.0.0.1:{port}")
            self.assertEqual(daemon.errors(), "", "what the journal has is not written twice")
            daemon.path.unlink()
            daemon.signal(signal.SIGHUP)
            daemon.await_text(r"(?m)^<6>reload: done, .* \[reloaded\]$", stream="err")

    # --- no secret ---

    def assert_silent(self, secrets, *texts):
        for text in texts:
            for secret in secrets:
                at = text.find(secret)
                self.assertEqual(at, -1, f"{secret} in: {text[max(at - 300, 0):at + 300]}")

    def test_no_secret_is_ever_shown(self):
        secrets = {name: f"geh3im{i}x" for i, name in enumerate(
            ["producer.sasl.password", "producer.ssl.key.password", "producer.ssl.keystore.password"])}
        login = "feedpw9x"
        password = pathlib.Path(self.folder.name) / "password"
        password.write_text(login + "\n")
        file = pathlib.Path(self.folder.name) / "tickbridge.toml"
        sound = "[producer]\n" + "".join(f'"{name[9:]}" = "{value}"\n' for name, value in secrets.items())
        everything = [login, *secrets.values()]
        loud = {**FAST, "log.level": "trace", "producer.librdkafka.debug": "all", "log.burst": 1000000,
                "feed.default.username": "user", "feed.default.password_file": password}
        with self.broker() as broker, Exchange("--file", self.file, "--username", "user", "--password", login) as exchange, \
                Daemon(broker.servers, {**loud, **harness.address(exchange)}, config=sound) as daemon:
            daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= 3000)
            config = pathlib.Path(daemon.folder.name) / "tickbridge.toml"
            config.write_text(sound.replace(f'"{secrets["producer.sasl.password"]}"', f'"{secrets["producer.sasl.password"]}'))
            daemon.signal(signal.SIGHUP)  # a string that does not end
            daemon.await_text(r"\[reload-refused\]", stream="err")
            config.write_text(sound.replace('"sasl.password"', '"sasl.pasword"'))
            daemon.signal(signal.SIGHUP)  # a name that is none
            daemon.await_text(r"(?s)\[reload-refused\].*\[reload-refused\]", stream="err")
            pages = [daemon.get(page)[1] for page in ("/", "/metrics", "/api/status", "/api/latency")]
            self.assertRegex(daemon.errors(), r"librdkafka CONF: .*sasl\.password = \[redacted\]")  # it is told, hidden
            self.assertIn("[kafka-library-debug]", daemon.errors())
            self.assert_silent(everything, daemon.errors(), daemon.output(), *pages)
        client = "geh3im9x"  # Debian's client library refuses to start with it
        everything.append(client)
        file.write_text(f'{sound}"sasl.oauthbearer.client.secret" = "{client}"\n')
        shown = subprocess.run([BIN / "tickbridge", "--config", file, "--port", "1", "--print-config"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("***", shown.stdout)
        self.assert_silent(everything, shown.stdout, shown.stderr)

    def test_no_secret_is_shown_where_the_login_fails(self):
        secret, login = "geh3im7x", "wrongpw8x"
        password = pathlib.Path(self.folder.name) / "wrong"
        password.write_text(login + "\n")
        settings = {**FAST, "log.level": "trace", "producer.librdkafka.debug": "all", "feed.default.username": "user",
                    "feed.default.password_file": password}
        with self.broker() as broker, Exchange("--file", self.file, "--username", "user", "--password", "other") as exchange, \
                Daemon(broker.servers, {**settings, **harness.address(exchange)}) as daemon:
            self.assertEqual(daemon.wait(30), 76, daemon.errors())
            self.assert_silent([login], daemon.errors(), daemon.output())
        sasl_password = pathlib.Path(self.folder.name) / "sasl"
        sasl_password.write_text(secret + "\n")
        sasl = {"producer.security.protocol": "sasl_plaintext", "producer.sasl.mechanism": "PLAIN",
                "producer.sasl.username": "user", "producer.sasl.password_file": sasl_password,
                "startup_timeout": "3s"}
        with self.broker() as broker, Exchange("--file", self.file) as exchange, \
                Daemon(broker.servers, {**settings, **sasl, **harness.address(exchange)}) as daemon:
            self.assertEqual(daemon.wait(60), 69, daemon.errors())
            self.assertRegex(daemon.errors(), "sasl")
            self.assert_silent([login, secret], daemon.errors(), daemon.output())


if __name__ == "__main__":
    unittest.main()
