"""tools/kafka: clusters of one and of three start, lose brokers, get them back, and leave nothing behind.

Usage: kafka_test.py PATH_OF_TOOLS_KAFKA
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOL = sys.argv.pop(1) if len(sys.argv) > 1 else "tools/kafka"


def command_line(pid):
    """Empty for a process that has ended, be its entry still there or not."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


class KafkaTool(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join(tempfile.mkdtemp(prefix="tickbridge-kafka-test-"), "cluster")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.directory), ignore_errors=True)
        self.addCleanup(self.tool, "down")

    def tool(self, *words, fails=False):
        run = subprocess.run([TOOL, words[0], "--dir", self.directory, *words[1:]], capture_output=True, text=True,
                             timeout=120)  # fmt: skip
        self.assertEqual(run.returncode != 0, fails, f"{words}: {run.stdout}{run.stderr}")
        return run.stderr if fails else run.stdout

    def up(self, brokers):
        last = self.tool("up", "--brokers", str(brokers)).splitlines()[-1]
        self.assertRegex(last, r"^bootstrap\.servers=(127\.0\.0\.1:\d+,?)+$")
        servers = last.split("=", 1)[1]
        self.assertEqual(len(servers.split(",")), brokers)
        return servers

    def produce(self, servers, topic, text):
        properties = ["-X", "acks=all", "-X", "message.timeout.ms=30000"]
        run = subprocess.run(["kcat", "-P", "-b", servers, "-t", topic, "-p", "0", *properties], input=text, text=True,
                             capture_output=True, timeout=60)  # fmt: skip
        self.assertEqual(run.returncode, 0, run.stderr)

    def consume(self, servers, topic):
        run = subprocess.run(["kcat", "-C", "-b", servers, "-t", topic, "-e", "-q"], capture_output=True, text=True,
                             timeout=60)  # fmt: skip
        return run.stdout

    def pids(self):
        rows = [line.split() for line in self.tool("status").splitlines() if line.startswith("broker ")]
        return [int(row[6]) for row in rows]

    def test_one_broker_keeps_its_data_over_a_kill_and_leaves_nothing_behind(self):
        servers = self.up(1)
        self.tool("topic", "ticks", "--partitions", "2", "--config", "max.message.bytes=2000")
        self.produce(servers, "ticks", "a\nb\n")
        self.tool("kill", "1")
        self.assertIn("broker 1 down", self.tool("status"))
        self.assertIn("down already", self.tool("kill", "1", fails=True))
        self.tool("start", "1")
        self.assertEqual(self.consume(servers, "ticks"), "a\nb\n")
        pids = self.pids()
        self.tool("down")
        self.assertFalse(os.path.exists(self.directory))
        for pid in pids:
            self.assertEqual(command_line(pid), b"", "a broker outlived down")

    def test_three_brokers_go_on_when_one_is_stopped_or_killed(self):
        servers = self.up(3)
        self.tool("topic", "ticks", "--partitions", "1")
        self.produce(servers, "ticks", "a\n")
        self.tool("kill", "2")
        self.produce(servers, "ticks", "b\n")
        self.tool("start", "2")
        self.tool("stop", "3")
        self.assertIn("broker 3 stopped", self.tool("status"))
        self.tool("cont", "3")
        self.produce(servers, "ticks", "c\n")
        self.assertEqual(self.consume(servers, "ticks"), "a\nb\nc\n")

    def test_topics_are_not_made_by_accident_and_errors_say_what_to_do(self):
        self.assertIn("no cluster in", self.tool("topic", "x", "--partitions", "1", fails=True))
        self.up(1)
        self.assertIn("no broker 7", self.tool("kill", "7", fails=True))
        self.tool("topic", "x", "--partitions", "1")
        self.assertIn("already exists", self.tool("topic", "x", "--partitions", "1", fails=True))
        self.assertIn("up already", subprocess.run([TOOL, "up", "--dir", self.directory], capture_output=True,
                                                   text=True).stderr)  # fmt: skip


if __name__ == "__main__":
    unittest.main(verbosity=2)
