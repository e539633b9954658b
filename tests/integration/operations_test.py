"""docs/operations.md, line by line: every block marked `sh` is run, in order, on a machine of its own with a real systemd. (Those
that ask for a real Kafka are run by tests/docs/commands_test.py.)

`deb` must have been built (ctest does it first).
"""
import re
import sys
import unittest

import machine
from harness import ROOT
from package_test import PACKAGES

sys.path.insert(0, str(ROOT / "tests/docs"))
import pages  # noqa: E402

BLOCKS = pages.on_a_machine()
CONFIG = next(block.text for block in pages.fenced("docs/operations.md") if block.language == "toml")


@unittest.skipIf(machine.why_not(), f"no machine can be made here: {machine.why_not()}")
class Operations(unittest.TestCase):
    def setUp(self):
        self.machine = machine.Machine({PACKAGES: "/run/packages"})
        self.addCleanup(self.machine.end)

    def block(self, first: str) -> str:
        """Runs the blocks up to and with the next one that holds this; what that one says."""
        while True:
            block = self.left.pop(0)
            said = self.machine.run("sh", "-exc", "cd /run/packages\n" + block.text, seconds=300)
            if first in block.text:
                return said

    def serve(self):
        """The exchange and the Kafka that the page speaks of."""
        broker = self.machine.program("broker", "tickbridge-embedded-broker", "--topic", "ticks:4", "--topic", "ticks.dead:1")
        self.addCleanup(broker.end)
        exchange = self.machine.program("exchange", "tickbridge-exchange", "--generate", "20000")
        self.addCleanup(exchange.end)
        port = exchange.await_text(r"listening on [\d.]+:(\d+)")[1]
        servers = broker.await_text(r"bootstrap\.servers=(\S+)")[1]
        return CONFIG.replace("10.1.1.1:9000", f"127.0.0.1:{port}").replace("kafka1:9092", servers)

    def test_every_command_does_what_the_page_says(self):
        self.left = list(BLOCKS)
        self.block("apt-get install")
        self.machine.write("/etc/tickbridge/tickbridge.toml", self.serve())
        first = self.block("tickbridge --check-config")
        self.assertIn("the configuration is sound", first)
        self.assertIn("active (running)", first)
        self.block("site.conf")
        self.assertEqual(self.machine.show("tickbridge", "TimeoutStopUSec", "ActiveState"),
                         {"TimeoutStopUSec": "1min 30s", "ActiveState": "active"})
        score = re.search(r"Overall exposure level for tickbridge.service: ([\d.]+)", self.block("systemd-analyze security"))
        self.assertLess(float(score[1]), 2)
        self.block("hours_on")
        self.machine.await_journal("tickbridge", r"reload: feed\.nasdaq\.hours_on has changed(?s:.*)reload: done")
        self.block("--accept-change")
        self.assertIn("--accept-change", self.machine.ask("sh", "-c", "cat /proc/$(systemctl show -P MainPID tickbridge)/cmdline"))
        self.block("apt-get purge")
        self.assertEqual(self.left, [])
        self.assertNotEqual(self.machine.attempt("test", "-e", "/etc/tickbridge")[0], 0)


if __name__ == "__main__":
    machine.main()
