#!/usr/bin/env python3
"""TLS to the exchange: the whole job through it, both sides' certificates, and every way in which it can go wrong."""
import contextlib
import datetime
import pathlib
import random
import re
import socket
import sys
import tempfile
import threading
import time
import unittest

import harness
from harness import Daemon, EmbeddedBroker, Exchange, Verifier

sys.path.insert(0, str(harness.ROOT / "tools"))
import certificates

FAST = {"feed.default.reconnect_min": "10ms", "feed.default.reconnect_max": "50ms"}
MESSAGES = 30000


class ExchangeTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {harness.SEED} (TICKBRIDGE_SEED repeats it)", flush=True)
        cls.dice = random.Random(harness.SEED)
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", MESSAGES)
        cls.tls_folder = certificates.make(pathlib.Path(cls.folder.name) / "tls")
        cls.authority, cls.stranger = cls.tls_folder / "ca.pem", cls.tls_folder / "stranger-ca.pem"
        own = certificates.Authority(cls.tls_folder, "more-ca")
        tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        own.issue("young", certificates.HERE, (tomorrow.strftime("%Y%m%d%H%M%SZ"), "20991231000000Z"))
        own.issue("named", "DNS:feed.exchange.example,DNS:b.example")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def exchange(self, *flags, certificate="server", client_ca=None, file=None):
        mutual = ["--tls-client-ca", client_ca] if client_ca else []
        return Exchange("--file", file or self.file, "--tls-certificate", self.tls_folder / f"{certificate}.pem",
                        "--tls-key", self.tls_folder / f"{certificate}.key", *mutual, *flags)

    def tls(self, **more):
        options = {"tls": "true", "tls_ca_file": self.authority, **more}
        return {f"feed.default.{key}": value for key, value in options.items() if value is not None}

    def own(self):
        return {"tls_certificate_file": self.tls_folder / "client.pem", "tls_key_file": self.tls_folder / "client.key"}

    def broker(self, *flags):
        return EmbeddedBroker({"ticks": 5, "ticks.dead": 1}, *flags)

    def run_exactly(self, exchange, settings, status=None, file=None, rtt=0):
        with self.broker("--rtt", rtt) as broker, exchange, Verifier(file or self.file, broker.servers, "ticks", "--timeout", 60) as verifier, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **self.tls(), **settings}) as daemon:
            found = verifier.verdict(120)
            self.assertTrue(found.endswith(harness.EXACT), f"{found}\n{verifier.output()}\n{daemon.errors()}")
            if status:
                status(daemon)
            daemon.process.terminate()
            self.assertEqual(daemon.wait(30), 0, daemon.errors())

    # --- the whole job ---

    def test_soupbintcp(self):
        self.run_exactly(self.exchange(), {})

    def test_a_zlib_stream(self):
        self.run_exactly(self.exchange("--compression", "zlib-stream", "--payload", "block"),
                         {"feed.default.compression": "zlib-stream", "feed.default.payload": "block"})

    def test_moldudp64_in_zlib_packets(self):
        self.run_exactly(self.exchange("--compression", "zlib", "--payload", "moldudp64"),
                         {"feed.default.compression": "zlib", "feed.default.payload": "moldudp64"})

    def test_a_paced_feed(self):
        self.run_exactly(self.exchange("--rate", "30000"), {})

    def test_a_ring_that_is_often_full(self):
        """Reading stops and goes on while OpenSSL holds bytes that the socket does not have any more."""
        file = harness.generate(pathlib.Path(self.folder.name) / "large.itch", 150_000)
        self.run_exactly(self.exchange(file=file), {"pipeline.ring_bytes": 1 << 20, "pipeline.task_bytes": 16384,
                                                    "producer.max_in_flight_messages": 2000},
                         lambda daemon: self.assertGreater(daemon.metric("tickbridge_feed_read_stops_total"), 0), file=file, rtt=10)

    def test_frames_end_with_tls_own_goodbye(self):
        with self.broker() as broker, self.exchange("--transport", "frames", "--once") as exchange, \
                Verifier(self.file, broker.servers, "ticks", "--timeout", 60) as verifier, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **self.tls(),
                                        "feed.default.transport": "frames",
                                        "feed.default.delivery": "at_most_once"}, "--exit-at-end") as daemon:
            self.assertEqual(daemon.wait(60), 0, daemon.errors())
            self.assertTrue(verifier.verdict().endswith(harness.EXACT), daemon.errors())
            self.assertEqual(exchange.wait(30), 0)

    def test_heartbeats_keep_a_quiet_line(self):
        """Longer than the silence that either side allows, with nothing else to send."""
        with self.broker() as broker, self.exchange("--rate", "1", "--soup-version", "4.1") as exchange, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **self.tls(),
                                        "feed.default.soupbintcp.version": "4.1",
                                        "feed.default.soupbintcp.heartbeat": "100ms",
                                        "feed.default.soupbintcp.silence": "1500ms"}) as daemon:
            daemon.await_feed(lambda feed: feed["state"] == "streaming")
            time.sleep(4)
            feed = daemon.feed()
            self.assertEqual((feed["state"], feed["reconnects"]), ("streaming", 0), daemon.errors())

    # --- connections that end in the middle ---

    def test_cuts_are_made_good(self):
        """The exchange closes inside packets, and says goodbye or not as it comes."""
        self.run_exactly(self.exchange("--fault", "cut:500", "--seed", self.dice.randrange(1 << 31)), {},
                         lambda daemon: self.assertGreaterEqual(daemon.feed()["reconnects"], 20))

    def test_cuts_of_a_zlib_stream_are_made_good(self):
        self.run_exactly(self.exchange("--fault", "cut:500", "--compression", "zlib-stream", "--payload", "block",
                                       "--seed", self.dice.randrange(1 << 31)),
                         {"feed.default.compression": "zlib-stream", "feed.default.payload": "block"},
                         lambda daemon: self.assertGreaterEqual(daemon.feed()["reconnects"], 3))

    def test_records_cut_by_a_proxy_are_made_good(self):
        with self.exchange() as exchange, Cutter(exchange, self.dice) as cutter:
            class Through:
                host, port = "127.0.0.1", cutter.port
                def __enter__(self): return self
                def __exit__(self, *_): pass
            self.run_exactly(Through(), {}, lambda daemon: self.assertGreaterEqual(daemon.feed()["reconnects"], 5))

    def test_the_next_address_is_tried(self):
        with self.broker() as broker, self.exchange() as exchange, Exchange("--file", self.file) as plain, \
                Verifier(self.file, broker.servers, "ticks") as verifier, \
                Daemon(broker.servers, {**FAST, **self.tls()}, config=f"""
[feed.default]
hosts = ["127.0.0.1:1", "{plain.host}:{plain.port}", "localhost:{exchange.port}"]
""") as daemon:
            self.assertTrue(verifier.verdict().endswith(harness.EXACT), daemon.errors())
            self.assertIn(f"{plain.host}:{plain.port}: ", daemon.errors())
            self.assertIn("may not speak TLS", daemon.errors())

    def test_renewed_certificates_are_read_again(self):
        """The exchange moves to another authority: the file is replaced under the running daemon."""
        trusted = pathlib.Path(self.folder.name) / "trusted.pem"
        trusted.write_text(self.stranger.read_text())
        with self.broker() as broker, self.exchange() as exchange, \
                Verifier(self.file, broker.servers, "ticks", "--timeout", 60) as verifier, \
                Daemon(broker.servers, {**FAST, **harness.address(exchange), **self.tls(tls_ca_file=trusted)}) as daemon:
            daemon.await_text("not signed by anybody trusted", stream="err")
            trusted.write_text("not finished yet")
            daemon.await_text("the ones read before go on", stream="err")
            trusted.write_text(self.authority.read_text())
            self.assertTrue(verifier.verdict().endswith(harness.EXACT), daemon.errors())

    # --- certificates ---

    def test_mutual(self):
        self.run_exactly(self.exchange(client_ca=self.authority), self.tls(**self.own()))

    def test_a_name_of_its_own(self):
        self.run_exactly(self.exchange(certificate="named"),
                         self.tls(tls_ca_file=self.tls_folder / "more-ca.pem", tls_server_name="feed.exchange.example"))

    def test_without_verification_anybody_will_do_and_it_is_said(self):
        with self.broker() as broker, self.exchange(certificate="stranger") as exchange, \
                Verifier(self.file, broker.servers, "ticks") as verifier, \
                Daemon(broker.servers, {**harness.address(exchange), "feed.default.tls": "true",
                                        "feed.default.tls_verify": "false"}) as daemon:
            self.assertTrue(verifier.verdict().endswith(harness.EXACT), daemon.errors())
            self.assertRegex(daemon.errors(), r"tls_verify = false: whoever stands between")

    # --- what must not work: each with its message, tried again until startup_timeout, then 69 ---

    def test_what_is_refused_and_why(self):
        own, more = self.own(), {"tls_ca_file": self.tls_folder / "more-ca.pem"}
        cases = {
            "stranger": (self.exchange(certificate="stranger"), {},
                         r"not signed by anybody trusted here \(it is for 127.0.0.1, ::1, localhost, issued by "
                         r"CN = stranger-ca.*set feed.stranger.tls_ca_file"),
            "system": (self.exchange(), {"tls_ca_file": ""}, "not signed by anybody trusted here"),
            "expired": (self.exchange(certificate="expired"), {}, r"its certificate has expired \(.*the exchange must renew"),
            "young": (self.exchange(certificate="young"), more, "is not valid yet.*clock"),
            "named": (self.exchange(certificate="named"), more,
                      r'is not for "127.0.0.1" \(it is for feed.exchange.example, b.example, .*tls_server_name'),
            "renamed": (self.exchange(), {"tls_server_name": "feed.example"}, r'is not for "feed.example"'),
            "mutual": (self.exchange(client_ca=self.authority), {}, "wants a certificate of us: set feed.mutual.tls_certificate_file"),
            "unknown": (self.exchange(client_ca=self.stranger), own, "it refused our certificate"),
            "plain": (Exchange("--file", self.file), {}, r"in the handshake: it may not speak TLS there \(feed.plain.tls\)"),
            "mail": (Deaf(b"220 mail.example ready\r\n"), {}, "what it sends is no TLS: set feed.mail.tls = false"),
            "deaf": (Deaf(b""), {}, "no answer to the TLS handshake"),
            "backwards": (self.exchange(), {"tls": "false", "tls_ca_file": ""}, "backwards"),
        }
        with contextlib.ExitStack() as stack:
            topics = {f"ticks.{name}": 1 for name in cases}
            broker = stack.enter_context(EmbeddedBroker({**topics, "ticks.dead": 1}))
            text = "startup_timeout = \"10s\"\npipeline.ring_bytes = 1048576\n"
            for name, (exchange, options, _) in cases.items():
                stack.enter_context(exchange)
                tls = {"tls": "true", "tls_ca_file": self.authority, **options}
                lines = [f"{key} = {value if value in ('true', 'false') else chr(34) + str(value) + chr(34)}" for key, value in tls.items()]
                text += "\n".join([f"[feed.{name}]", f'hosts = ["127.0.0.1:{exchange.port}"]', f'topic = "ticks.{name}"',
                                   'reconnect_min = "10ms"', 'reconnect_max = "500ms"', 'soupbintcp.silence = "1200ms"', *lines, ""])
            daemon = stack.enter_context(Daemon(broker.servers, {}, config=text))
            self.assertEqual(daemon.wait(60), 69, daemon.errors())
            for name, (_, _, message) in cases.items():
                with self.subTest(case=name):
                    told = [line for line in daemon.errors().splitlines() if f" feed {name}: " in line]
                    attempts = [line for line in told if re.search(message, line) and "at the end" not in line]
                    self.assertGreaterEqual(len(attempts), 3, f"it is told, and tried again\n{told[:4]}")
                    self.assertFalse([line for line in told if "logged in" in line], told)
                    ends = [line for line in told if "no login at the exchange within startup_timeout" in line]
                    self.assertEqual(len(ends), 1, told)
                    self.assertTrue(name == "backwards" or re.search("the last attempt: .*" + message, ends[0]), ends)

    def test_a_stop_in_the_handshake(self):
        with self.broker() as broker, Deaf(b"") as server, \
                Daemon(broker.servers, {**harness.address(server), **self.tls()}) as daemon:
            server.met.wait(20)
            daemon.process.terminate()
            self.assertEqual(daemon.wait(10), 0, daemon.errors())

    # --- files ---

    def misconfigured(self, message, **options):
        with Daemon("127.0.0.1:1", {"feed.default.host": "127.0.0.1", "feed.default.port": 9, **self.tls(**options)}) as daemon:
            self.assertEqual(daemon.wait(20), 78, daemon.errors())
            self.assertRegex(daemon.errors(), message)

    def test_files_that_are_not_what_they_should_be(self):
        own, key = self.own(), self.tls_folder / "client.key"
        self.misconfigured("tls_ca_file.*cannot be read", tls_ca_file="/nonexistent/ca.pem")
        self.misconfigured("tls_ca_file.*no file of certificates in PEM", tls_ca_file=self.file)
        self.misconfigured("tls_certificate_file.*is no certificate in PEM", tls_certificate_file=key, tls_key_file=key)
        self.misconfigured("tls_key_file.*is not the certificate's key", **{**own, "tls_key_file": self.tls_folder / "server.key"})
        self.misconfigured("without a passphrase", **{**own, "tls_key_file": self.tls_folder / "client.encrypted.key"})


class Cutter:
    """A proxy that cuts each of the first connections after some bytes, without any goodbye."""

    def __init__(self, exchange, dice, cuts: int = 8):
        self.exchange, self.left = exchange, [dice.randrange(3000, 150000) for _ in range(cuts)]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.serve)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(30)

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection((self.exchange.host, self.exchange.port), 10)
            limit = self.left.pop() if self.left else None
            for source, sink, bound in ((client, server, None), (server, client, limit)):
                self.threads.append(threading.Thread(target=self.copy, args=(source, sink, bound)))
                self.threads[-1].start()

    @staticmethod
    def copy(source, sink, limit):
        try:
            while limit is None or limit > 0:
                data = source.recv(min(65536, limit or 65536))
                if not data:
                    break
                sink.sendall(data)
                limit = limit and limit - len(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Deaf:
    """Takes connections, says one thing and hears nothing."""
    host = "127.0.0.1"

    def __init__(self, says: bytes):
        self.says, self.clients, self.met = says, [], threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.thread.is_alive():
            self.listener.shutdown(socket.SHUT_RDWR)
            self.thread.join(30)
            self.listener.close()
            for client in self.clients:
                client.close()

    def serve(self):
        while True:
            try:
                self.clients.append(self.listener.accept()[0])
            except OSError:
                return
            self.met.set()
            if self.says:
                self.clients[-1].sendall(self.says)


if __name__ == "__main__":
    unittest.main(verbosity=2)
