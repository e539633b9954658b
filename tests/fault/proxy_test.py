#!/usr/bin/env python3
"""The proxy does to connections what the fault suite believes it does."""
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from proxy import HOST, Proxies


class Sink:
    """A server that keeps what it is sent, and answers each byte by one."""

    def __init__(self, answers=True):
        self.listener, self.got, self.answers = socket.create_server((HOST, 0)), b"", answers
        self.ends = []  # how each connection ended
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while data := connection.recv(1 << 16):
                self.got += data
                if self.answers:
                    connection.sendall(data)
            self.ends.append("end")
        except OSError as problem:
            self.ends.append(type(problem).__name__)

    def await_bytes(self, count, seconds=5):
        deadline = time.monotonic() + seconds
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.got


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.sink, self.proxies = Sink(), Proxies(1)
        self.proxies.point(1, *self.sink.listener.getsockname())
        self.addCleanup(self.sink.listener.close)
        self.addCleanup(self.proxies.end)

    def client(self):
        connection = socket.create_connection((HOST, self.proxies.proxies[1].port), 5)
        connection.sendall(b"hello")
        self.assertEqual(connection.recv(100), b"hello")
        self.addCleanup(connection.close)
        return connection

    def test_bytes_pass_both_ways(self):
        client, data = self.client(), bytes(range(256)) * 40_000
        threading.Thread(target=client.sendall, args=(data,), daemon=True).start()
        got = b""
        while len(got) < len(data):
            got += client.recv(1 << 20)
        self.assertEqual(got, data)

    def test_what_is_held_arrives_although_its_sender_was_killed(self):
        code = f"""
import socket, time
s = socket.create_connection(("{HOST}", {self.proxies.proxies[1].port}))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, __import__("struct").pack("ii", 1, 0))
s.sendall(b"first"); s.recv(5); print("ready", flush=True)
input(); s.sendall(b"held" * 100000); print("sent", flush=True); time.sleep(60)
"""
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            links = self.proxies.hold()
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
            deadline = time.monotonic() + 5
            while self.proxies.held_bytes(links) < 400_000 and time.monotonic() < deadline:
                time.sleep(0.01)  # what is in the client's kernel yet would be lost with it
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.client()  # a later connection passes meanwhile
        time.sleep(0.7)
        self.assertEqual(self.proxies.held_bytes(links), 400_000)
        self.assertEqual(self.proxies.late_bytes(), 0)
        self.assertEqual(self.sink.got, b"firsthello")
        self.proxies.release(links)
        self.assertEqual(self.sink.await_bytes(400_010), b"firsthello" + b"held" * 100_000)
        time.sleep(0.1)
        self.assertEqual(self.proxies.late_bytes(), 400_000)

    def test_delay_and_rate(self):
        client = self.client()
        for faults, least in (({"delay": 0.2}, 0.4), ({"delay": 0.0, "rate": 1e6}, 0.4)):
            self.proxies.faults(**faults)
            began, left = time.monotonic(), 400_000
            threading.Thread(target=client.sendall, args=(bytes(left),), daemon=True).start()
            while left:
                left -= len(client.recv(left))
            self.assertGreaterEqual(time.monotonic() - began, least)
            self.assertLess(time.monotonic() - began, least + 2)

    def test_cut_and_reset(self):
        client = self.client()
        self.assertEqual(self.proxies.cut(), 1)
        self.assertEqual(client.recv(1), b"")
        client = self.client()
        self.assertEqual(self.proxies.reset(), 1)
        with self.assertRaises(ConnectionResetError):
            client.recv(1)

    def test_refuse(self):
        self.proxies.faults(refuse=True)
        with self.assertRaises(OSError):
            self.client()
        self.proxies.heal()
        self.client()


if __name__ == "__main__":
    unittest.main(verbosity=2)
