"""tools/kafka: clusters of one and of three start, lose brokers, get them back, and leave nothing behind.

Usage: kafka_test.py PATH_OF_TOOLS_KAFKA
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL = sys.argv.pop(1) if len(sys.argv) > 1 else "tools/kafka"


def command_line(pid):
    """Empty for a process that has ended, be its entry still there or not."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


class Proxy:
    """A TCP proxy on a port of its own; where it leads to is said later, as the broker's port is not known yet."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.target = None
        self.sockets = [self.listener]
        self.bytes_passed = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            self.sockets += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                self.bytes_passed += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for each in self.sockets:
            each.close()


class KafkaTool(unittest.TestCase):
    def setUp(self):
        self.directory = os.path.join(tempfile.mkdtemp(prefix="tickbridge-kafka-test-"), "cluster")
        self.addCleanup(shutil.rmtree, os.path.dirname(self.directory), ignore_errors=True)
        self.addCleanup(self.tool, "down")

    def tool(self, *words, fails=False):
        run = subprocess.run([TOOL, words[0], "--dir", self.directory, *words[1:]], capture_output=True, text=True,
                             timeout=400)  # fmt: skip
        self.assertEqual(run.returncode != 0, fails, f"{words}: {run.stdout}{run.stderr}")
        return run.stderr if fails else run.stdout

    def up(self, brokers):
        last = self.tool("up", "--brokers", str(brokers)).splitlines()[-1]
        self.assertRegex(last, r"^bootstrap\.servers=(127\.0\.0\.1:\d+,?)+$")
        servers = last.split("=", 1)[1]
        self.assertEqual(len(servers.split(",")), brokers)
        return servers

    def kill_and_start(self, number):
        self.tool("kill", str(number))
        self.tool("start", str(number))

    def produce(self, servers, topic, text, partition=0):
        properties = ["-X", "acks=all", "-X", "message.timeout.ms=120000"]
        run = subprocess.run(["kcat", "-P", "-b", servers, "-t", topic, "-p", str(partition), *properties], input=text, text=True,
                             capture_output=True, timeout=180)  # fmt: skip
        self.assertEqual(run.returncode, 0, run.stderr)

    def consume(self, servers, topic):
        run = subprocess.run(["kcat", "-C", "-b", servers, "-t", topic, "-e", "-q"], capture_output=True, text=True,
                             timeout=180)  # fmt: skip
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

    def test_a_proxy_can_stand_in_front_of_a_broker(self):
        proxy = Proxy()
        self.addCleanup(proxy.close)
        said = self.tool("up", "--brokers", "2", "--advertise", f"1={proxy.address}").splitlines()
        status = [line.split() for line in self.tool("status").splitlines() if line.startswith("broker ")]
        listens, advertises = [row[10] for row in status], [row[12] for row in status]
        self.assertEqual(advertises, [proxy.address, listens[1]], "a broker without a proxy advertises itself")
        self.assertEqual(said[-1], "bootstrap.servers=" + ",".join(advertises))
        self.assertEqual(said[-2], "direct.servers=" + ",".join(f"127.0.0.1:{row[4]}" for row in status))
        self.assertIn("advertises other addresses",
                      self.tool("up", "--brokers", "2", "--advertise", "2=127.0.0.1:9", fails=True))  # fmt: skip

        host, port = listens[0].split(":")
        proxy.target = (host, int(port))
        self.tool("topic", "ticks", "--partitions", "2", "--replication", "1")  # one on each broker
        self.assertEqual(proxy.bytes_passed, 0, "the brokers and the tool do not use it")
        for partition in (0, 1):
            self.produce(proxy.address, "ticks", "a" * 99999 + "\n", partition)
        produced = proxy.bytes_passed
        self.assertGreater(produced, 100000)
        self.assertLess(produced, 200000, "the other broker has no proxy")
        self.assertEqual(len(self.consume(said[-2].split("=")[1], "ticks")), 200000)
        self.assertEqual(proxy.bytes_passed, produced, "direct.servers goes around the proxy")
        self.kill_and_start(1)
        self.assertEqual(len(self.consume(listens[1], "ticks")), 200000)

    def test_what_cannot_be_advertised_is_refused(self):
        for wrong in ("3=127.0.0.1:9000", "0=127.0.0.1:9000", "x=127.0.0.1:9000", "1=9000", "1=127.0.0.1:0", "1"):
            self.assertIn("expected" if "=" not in wrong or wrong[0] == "1" else "brokers 1 to 2",
                          self.tool("up", "--brokers", "2", "--advertise", wrong, fails=True))  # fmt: skip

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
