"""docs/operations.md, line by line: every block marked `sh` is run, in order, on a machine of its own with a real systemd.

`deb` must have been built (ctest does it first).
"""
import re
import unittest

import machine
from harness import ROOT
from package_test import PACKAGES

PAGE = (ROOT / "docs/operations.md").read_text()
BLOCKS = re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE)
CONFIG = re.search(r"(?ms)^```toml\n(.*?)^```$", PAGE)[1]


@unittest.skipIf(machine.why_not(), f"no machine can be made here: {machine.why_not()}")
class Operations(unittest.TestCase):
    def setUp(self):
        self.machine = machine.Machine({PACKAGES: "/run/packages"})
        self.addCleanup(self.machine.end)

    def block(self, number: int) -> str:
        return self.machine.run("sh", "-exc", "cd /run/packages\n" + BLOCKS[number], seconds=300)

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
        done = [self.block(0)]
        self.machine.write("/etc/tickbridge/tickbridge.toml", self.serve())
        first = self.block(1)
        self.assertIn("the configuration is sound", first)
        self.assertIn("active (running)", first)
        done += [first, self.block(2), self.block(3), self.block(4)]
        self.assertEqual(self.machine.show("tickbridge", "TimeoutStopUSec", "ActiveState"),
                         {"TimeoutStopUSec": "1min 30s", "ActiveState": "active"})
        score = re.search(r"Overall exposure level for tickbridge.service: ([\d.]+)", self.block(5))
        self.assertLess(float(score[1]), 2)
        done += [score[0], self.block(6), self.block(7)]
        self.assertEqual(len(done), len(BLOCKS))  # a block that was added wants to be run, too
        self.assertNotEqual(self.machine.attempt("test", "-e", "/etc/tickbridge")[0], 0)


if __name__ == "__main__":
    machine.main()
