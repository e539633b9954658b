"""The units of the Debian package under a real systemd: start, reload, crash, refusal, stop, and what the sandbox leaves.

In a machine of its own (machine.py): this one stays as it is. `deb` must have been built (ctest does it first).
"""
import re
import time
import unittest

import machine
from harness import EXACT, ROOT, SLOW
from package_test import PACKAGES, output, package

UNITS = [ROOT / "config/systemd" / name for name in ("tickbridge.service", "tickbridge@.service")]
UNIT = "tickbridge.service"
CONFIG = "/etc/tickbridge/tickbridge.toml"
MESSAGES = 60000


def settings(unit) -> list[str]:
    return [line for line in unit.read_text().splitlines() if line and not line.startswith("#")]


class Files(unittest.TestCase):
    def test_little_is_exposed(self):
        """systemd's own measure, 0 to 10; the threshold is in tenths."""
        for unit in UNITS:
            output("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit)

    def test_both_are_one(self):
        one, several = map(settings, UNITS)
        named = [line.replace("/tickbridge.toml", "/%i.toml").replace("SyslogIdentifier=tickbridge", "SyslogIdentifier=tickbridge-%i")
                 for line in one]
        named = [line + ", %i" if line.startswith("Description=") else line for line in named]
        self.assertEqual(several, named)


@unittest.skipIf(machine.why_not(), f"no machine can be made here: {machine.why_not()}")
class Units(unittest.TestCase):
    """Each test starts the daemon on a session of its own."""

    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine({PACKAGES: "/run/packages"})
        cls.addClassCleanup(cls.machine.end)
        cls.install()
        cls.machine.write("/etc/tickbridge/credentials/kafka-password", "geheim")

    @classmethod
    def install(cls):
        cls.machine.run("dpkg", "-i", f"/run/packages/{package().name}")

    def setUp(self):
        self.broker = self.machine.program("broker", "tickbridge-embedded-broker", "--topic", "ticks:4", "--topic", "ticks.dead:1")
        self.addCleanup(self.broker.end)
        self.exchange = self.machine.program("exchange", "tickbridge-exchange", "--generate", MESSAGES, "--rate", MESSAGES // 6,
                                             "--save", "/tmp/day.itch")
        self.addCleanup(self.exchange.end)
        self.addCleanup(self.halt)
        self.servers = self.broker.await_text(r"bootstrap\.servers=(\S+)")[1]
        self.port = self.exchange.await_text(r"listening on [\d.]+:(\d+)")[1]
        self.configure()
        self.machine.mark_journal()

    def halt(self):
        self.machine.run("systemctl", "stop", "tickbridge.service", "tickbridge@*.service")
        self.machine.run("systemctl", "reset-failed")

    def configure(self, more: str = "", path: str = CONFIG, feed: str = ""):
        """`more`: lines before the first table; `feed`: one of the feed's."""
        self.machine.write(path, f"""{more}
[feed.nasdaq]
hosts = ["127.0.0.1:{self.port}"]
topic = "ticks"
{feed}
[producer]
"bootstrap.servers" = "{self.servers}"
[http]
listen = "127.0.0.1:0"
""")

    def start(self, unit: str = UNIT) -> dict[str, str]:
        self.machine.run("systemctl", "start", unit)
        return self.machine.await_unit(unit, lambda u: u["ActiveState"] == "active", "ActiveState", "MainPID", "NRestarts")

    def verifier(self):
        program = self.machine.program("verify", "tickbridge-verify", "--file", "/tmp/day.itch", "--bootstrap", self.servers,
                                       "--topic", "ticks", "--follow", "--quiet", "0.3")
        self.addCleanup(program.end)
        return program

    def assert_exact(self, verifier):
        self.assertEqual(verifier.wait(120), 0, verifier.output() + self.machine.journal(UNIT))
        self.assertIn(EXACT, verifier.output())

    def test_systemd_understands_them(self):
        self.assertEqual(self.machine.run("systemd-analyze", "verify", "--man=no", UNIT, "tickbridge@one.service"), "")

    def test_a_feed_runs_in_the_sandbox_and_stops_cleanly(self):
        verifier = self.verifier()
        pid = self.start()["MainPID"]
        self.assert_exact(verifier)
        status = dict(re.findall(r"(?m)^(\w+):\s*(.*)$", self.machine.read(f"/proc/{pid}/status")))
        self.assertEqual(status["CapEff"] + status["CapBnd"], "0" * 32)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertEqual(self.machine.run("stat", "-c", "%U", f"/proc/{pid}").strip(), "tickbridge")
        self.assertRegex(self.machine.read(f"/proc/{pid}/limits"), r"Max core file size\s+0\s+0")
        url = self.machine.await_journal(UNIT, r"listening on (http://\S+/)")[1]
        self.assertRegex(self.machine.get(url + "metrics"), r"(?m)^process_resident_memory_bytes [1-9]")
        began = time.monotonic()
        self.machine.run("systemctl", "stop", UNIT)
        self.assertLess(time.monotonic() - began, 45 * SLOW)  # TimeoutStopSec: it left, it was not killed
        self.assertEqual(self.machine.show(UNIT, "Result", "ExecMainStatus"), {"Result": "success", "ExecMainStatus": "0"})

    def test_a_start_ends_when_the_feeds_are_ready_and_status_tells_of_them(self):
        self.start()
        url = self.machine.await_journal(UNIT, r"listening on (http://\S+/)")[1]
        self.machine.get(url + "readyz")  # 503 would be an error
        self.assertIn("nasdaq", self.machine.show(UNIT, "StatusText")["StatusText"])

    def test_a_start_waits_for_the_exchange(self):
        port, self.port = self.port, 1
        self.configure('startup_timeout = "50s"')
        self.machine.run("systemctl", "start", "--no-block", UNIT)
        self.machine.await_unit(UNIT, lambda u: u["StatusText"].startswith("starting: "), "StatusText")
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), {"ActiveState": "activating"})
        self.port = port

    def test_a_daemon_that_stands_still_is_ended_and_started_again(self):
        self.machine.run("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
        self.machine.write(f"/run/systemd/system/{UNIT}.d/watchdog.conf", "[Service]\nWatchdogSec=5\nTimeoutAbortSec=1\n")
        self.machine.run("systemctl", "daemon-reload")
        self.addCleanup(lambda: self.machine.run("sh", "-ec", f"rm -r /run/systemd/system/{UNIT}.d; systemctl daemon-reload"))
        verifier = self.verifier()
        pid = self.start()["MainPID"]
        self.machine.run("kill", "-STOP", pid)
        self.machine.await_unit(UNIT, lambda u: u["NRestarts"] == "1" and u["ActiveState"] == "active", "ActiveState", "NRestarts")
        self.assertIn("watchdog", self.machine.journal(UNIT).lower())
        self.assert_exact(verifier)

    def test_secrets_are_the_daemons_alone(self):
        self.start()
        folder = f"/run/credentials/{UNIT}"
        self.assertEqual(self.machine.read(f"{folder}/tickbridge_kafka-password"), "geheim")
        self.assertEqual(self.machine.run("stat", "-c", "%U %a", folder, f"{folder}/tickbridge_kafka-password").split(),
                         ["tickbridge", "500", "tickbridge", "400"])

    def test_a_reload_finds_the_secrets(self):
        self.configure(feed=f'password_file = "/run/credentials/{UNIT}/tickbridge_kafka-password"')
        self.start()
        self.machine.run("systemctl", "reload", UNIT)
        self.machine.await_journal(UNIT, r"reload: done")

    def test_a_reload_takes_the_new_file_over(self):
        pid = self.start()["MainPID"]
        self.machine.write(CONFIG, self.machine.read(CONFIG) + '[log]\nlevel = "debug"\n')
        self.machine.run("systemctl", "reload", UNIT)
        self.machine.await_journal(UNIT, r"reload.*log\.level")
        self.assertEqual(self.machine.show(UNIT, "MainPID", "ActiveState"), {"MainPID": pid, "ActiveState": "active"})

    def test_a_reload_of_a_broken_file_is_refused_and_changes_nothing(self):
        pid = self.start()["MainPID"]
        self.configure("nonsense = 1")
        code, _ = self.machine.attempt("systemctl", "reload", UNIT)
        self.assertNotEqual(code, 0)
        self.machine.await_journal(UNIT, r"nonsense is no option")
        self.assertEqual(self.machine.show(UNIT, "MainPID", "ActiveState"), {"MainPID": pid, "ActiveState": "active"})

    def test_after_a_crash_it_starts_again_and_finds_its_place(self):
        verifier = self.verifier()
        before = self.start()
        verifier.await_text(r"[1-9]\d{3}", stream="err")
        self.machine.run("systemctl", "kill", "--signal=KILL", UNIT)
        after = self.machine.await_unit(UNIT, lambda u: u["NRestarts"] == "1" and u["ActiveState"] == "active", "ActiveState",
                                        "MainPID", "NRestarts")
        self.assertNotEqual(after["MainPID"], before["MainPID"])
        self.assert_exact(verifier)

    def test_a_wrong_configuration_is_not_tried_again(self):
        self.configure("nonsense = 1")
        self.machine.attempt("systemctl", "start", UNIT)
        failed = self.machine.await_unit(UNIT, lambda u: u["ActiveState"] == "failed", "ActiveState", "ExecMainStatus", "NRestarts")
        self.assertEqual((failed["ExecMainStatus"], failed["NRestarts"]), ("78", "0"))

    def test_an_absent_kafka_is_tried_again(self):
        self.servers = "127.0.0.1:1"
        self.configure('startup_timeout = "500ms"')
        self.machine.run("systemctl", "start", "--no-block", UNIT)
        self.machine.await_unit(UNIT, lambda u: int(u["NRestarts"]) >= 2 and u["ExecMainStatus"] in ("0", "69"), "NRestarts",
                                "ExecMainStatus")
        self.machine.await_journal(UNIT, r"status=69")

    def test_instances_have_files_of_their_own(self):
        self.configure(path="/etc/tickbridge/one.toml")
        self.machine.run("chgrp", "tickbridge", "/etc/tickbridge/one.toml")
        verifier = self.verifier()
        self.start("tickbridge@one")
        self.assert_exact(verifier)
        self.assertEqual(self.machine.show(UNIT, "ActiveState"), {"ActiveState": "inactive"})

    def test_an_upgrade_restarts_what_runs(self):
        verifier = self.verifier()
        before = self.start()["MainPID"]
        self.install()
        after = self.machine.await_unit(UNIT, lambda u: u["ActiveState"] == "active", "ActiveState", "MainPID", "NRestarts")
        self.assertNotEqual(after["MainPID"], before)
        self.assertEqual(self.machine.show("tickbridge@one", "ActiveState"), {"ActiveState": "inactive"})  # it did not run
        self.assert_exact(verifier)

    def test_a_removal_stops_what_runs(self):
        self.addCleanup(self.install)
        pid = self.start()["MainPID"]
        self.machine.run("dpkg", "--remove", "tickbridge")
        self.assertNotEqual(self.machine.attempt("test", "-e", f"/proc/{pid}")[0], 0)
        self.assertRegex(self.machine.journal(UNIT), r"Deactivated successfully")


if __name__ == "__main__":
    machine.main()
