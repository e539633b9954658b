"""tickbridge-embedded-broker serves kcat, has the topics and errors it was given, and ends when told to.

Usage: embedded_broker_test.py PATH_OF_PROGRAM
"""

import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class EmbeddedBroker(unittest.TestCase):
    def start(self, *words):
        process = subprocess.Popen([PROGRAM, "--until-stdin-closes", *words], stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(process.kill)
        first = process.stdout.readline()
        self.assertRegex(first, r"^bootstrap\.servers=127\.0\.0\.1:\d+")
        self.addCleanup(process.stdout.close)
        return process, first.strip().split("=")[1]

    def kcat(self, servers, *words, text=""):
        return subprocess.run(["kcat", "-b", servers, *words], input=text, text=True, capture_output=True, timeout=30)

    def end(self, process):
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)

    def test_keeps_records_and_ends_when_stdin_closes(self):
        with tempfile.TemporaryDirectory() as folder:
            process, servers = self.start("--topic", "t:3", "--brokers", "2", "--port-file", f"{folder}/port")
            with open(os.path.join(folder, "port"), encoding="ascii") as file:
                self.assertEqual(file.read(), f"bootstrap.servers={servers}\n")
        self.assertEqual(len(servers.split(",")), 2)
        self.assertIn('topic "t" with 3 partitions', self.kcat(servers, "-L", "-t", "t").stdout)
        self.kcat(servers, "-P", "-t", "t", "-p", "2", text="a\nb\n")
        read = self.kcat(servers, "-C", "-t", "t", "-p", "2", "-e", "-q", "-X", "fetch.wait.max.ms=10")
        self.assertEqual(read.stdout, "a\nb\n")
        self.end(process)

    def test_answers_the_errors_it_was_given_first(self):
        process, servers = self.start("--topic", "t:1", "--errors", "produce:TOPIC_AUTHORIZATION_FAILED")
        self.assertIn("authorization failed", self.kcat(servers, "-P", "-t", "t", "-p", "0", text="a\n").stderr)
        self.assertEqual(self.kcat(servers, "-P", "-t", "t", "-p", "0", text="a\n").stderr, "")
        self.end(process)

    def test_takes_commands_and_hides_topics(self):
        process, servers = self.start("--topic", "t:1", "--missing", "gone")
        self.assertIn("Unknown topic", self.kcat(servers, "-L", "-t", "gone").stdout)
        for line, answer in (("rtt 1 5", "ok"), ("fault produce:NOT_ENOUGH_REPLICAS*2", "ok"),
                             ("down 1", "ok"), ("up 1", "ok"), ("fault nonsense", "error: no fault: nonsense")):  # fmt: skip
            process.stdin.write(line + "\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline().strip(), answer)
        self.end(process)

    def test_ends_on_sigterm(self):
        process, _ = self.start()
        process.terminate()
        self.assertEqual(process.wait(10), 0)
        process.stdin.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
