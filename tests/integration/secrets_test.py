#!/usr/bin/env python3
"""Secrets of a running daemon: where it takes them from, who else can see them. No real Kafka needed."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

import harness
from harness import BIN, Daemon, EmbeddedBroker, Exchange, Program

NOBODY = 65534 if os.getuid() == 0 else os.getuid()
SECRET = "hunter2"


class Secrets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tickbridge-secrets-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = harness.generate(self.folder / "s.itch", 2_000)

    def write(self, name: str, text: str, mode: int = 0o600) -> pathlib.Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def check(self, config: str, *flags, mode: int = 0o600, environment=None) -> tuple[int, str]:
        path = self.write("c.toml", '[feed.default]\nhosts = ["localhost:1"]\n' + config, mode)
        done = subprocess.run([BIN / "tickbridge", "--config", path, *(flags or ["--check-config"])], capture_output=True,
                              text=True, timeout=30, env=environment)
        text = done.stdout + done.stderr
        self.assertNotIn(SECRET, text)
        return done.returncode, text

    def test_a_feeds_password_is_a_credential(self):
        self.write("feed", SECRET + "\n", 0o400)
        with Exchange("--file", self.file, "--username", "me", "--password", SECRET) as exchange, \
                EmbeddedBroker({"ticks": 2}) as broker:
            settings = {**harness.address(exchange), "feed.default.username": "me",
                        "feed.default.password_file": "credential:feed"}
            with Daemon(broker.servers, settings, environment={"CREDENTIALS_DIRECTORY": str(self.folder)}) as daemon:
                daemon.await_feed(lambda f: f["messages_acknowledged"] == 2_000)
                self.assertNotIn(SECRET, daemon.errors() + daemon.get("/api/status")[1] + daemon.get("/metrics")[1])
            with Daemon(broker.servers, settings) as daemon:
                self.assertEqual(daemon.wait(30), 78)
                self.assertIn("LoadCredential=feed:", daemon.errors())

    def test_the_command_line_is_no_place_for_a_secret(self):
        code, text = self.check("", "--check-config", "--set", f"producer.sasl.password={SECRET}")
        self.assertEqual(code, 78)
        self.assertIn("producer.sasl.password_file", text)

    def test_a_configuration_with_a_secret_is_for_its_owner(self):
        config = f'[producer]\n"sasl.password" = "{SECRET}"\n'
        code, text = self.check(config, mode=0o640)
        self.assertEqual(code, 0)
        self.assertRegex(text, r"warning: .*c.toml:4: producer.sasl.password is a secret.*producer.sasl.password_file")
        code, text = self.check(config, mode=0o644)
        self.assertEqual(code, 78)
        self.assertRegex(text, r"c.toml:4: .*chmod o-r ")
        self.assertEqual(self.check(config, "--print-config", mode=0o644)[0], 0)

    def test_a_secrets_file(self):
        config = f'[producer]\n"sasl.password_file" = "{self.folder}/p"\n'
        code, text = self.check(config)
        self.assertEqual(code, 78)
        self.assertRegex(text, r"c.toml:4: producer.sasl.password_file = .*/p\" cannot be read")
        self.assertEqual(self.check(config, "--print-config")[0], 0)
        self.write("p", SECRET, 0o644)
        code, text = self.check(config)
        self.assertEqual(code, 0)
        self.assertIn(f"chmod o-r {self.folder}/p", text)
        self.write("p", SECRET, 0o600)
        self.assertEqual(self.check(config), (0, "the configuration is sound\n"))

    def test_nobodys_memory_is_not_for_others(self):
        """As a user without rights: no core, /proc/PID is root's, and the metrics that read /proc/self go on."""
        self.folder.chmod(0o755)
        program = shutil.copy(BIN / "tickbridge", self.folder / "tickbridge")
        with EmbeddedBroker({"ticks": 2}) as broker, Exchange("--file", self.file) as exchange:
            for dumps in ("false", "true"):
                settings = {**harness.address(exchange), "core_dumps": dumps, "http.listen": "127.0.0.1:0",
                            "producer.bootstrap.servers": broker.servers}
                with self.as_nobody(program, settings) as daemon:
                    daemon.await_feed(lambda f: f["next_sequence"] == 2_001)
                    self.assertGreater(daemon.metric("process_open_fds"), 5)
                    self.assertGreater(daemon.metric("process_resident_memory_bytes"), 1e6)
                    self.assertGreater(daemon.metric("process_threads"), 3)
                    self.assertGreater(daemon.metric("process_start_time_seconds"), 1e9)
                    proc = pathlib.Path(f"/proc/{daemon.pid}")
                    self.assertEqual(proc.stat().st_uid, NOBODY)
                    self.assertEqual((proc / "mem").stat().st_uid, NOBODY if dumps == "true" else 0)
                    soft = re.search(r"Max core file size +(\S+)", (proc / "limits").read_text())[1]
                    if dumps == "false":
                        self.assertEqual(soft, "0")
                    daemon.signal(signal.SIGSEGV)
                    self.assertEqual(daemon.wait(30), -signal.SIGSEGV)
                written = list((self.folder / "cores").glob("*"))
                if dumps == "false":
                    self.assertEqual(written, [])
                elif self.writes_cores():
                    self.assertEqual(len(written), 1, "the way to look for a core finds none where there is one")

    @staticmethod
    def writes_cores() -> bool:
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
        return not pattern.startswith(("|", "/")) and resource.getrlimit(resource.RLIMIT_CORE)[1] != 0

    def as_nobody(self, program, settings: dict) -> Daemon:
        cores = self.folder / "cores"
        cores.mkdir(exist_ok=True)
        cores.chmod(0o777)
        daemon = Daemon.__new__(Daemon)
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        script = 'cd "$1" && shift && ulimit -c "$(ulimit -Hc)" && exec "$@"'
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
        Program.__init__(daemon, "daemon", [*user, "sh", "-c", script, "sh", cores, program, *words])
        return daemon


if __name__ == "__main__":
    unittest.main(verbosity=2)
