#!/usr/bin/env python3
"""Who may read the pages: tokens, HTTPS and client certificates, and what is refused before anything starts."""
import base64
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import harness
from harness import Daemon, EmbeddedBroker

sys.path.insert(0, str(harness.ROOT / "tools"))
import certificates  # noqa: E402

TOKEN = "correct-horse-battery-staple"


class HttpAccess(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.tls = certificates.make(pathlib.Path(cls.folder.name) / "tls")
        cls.token = pathlib.Path(cls.folder.name) / "token"
        cls.token.write_text(TOKEN + "\n")
        cls.broker = EmbeddedBroker({"ticks": 1})

    @classmethod
    def tearDownClass(cls):
        cls.broker.end()
        cls.folder.cleanup()

    def daemon(self, **http):
        return Daemon(self.broker.servers, {"feed.default.port": 1, "startup_timeout": "10m",
                                            **{f"http.{key}": value for key, value in http.items()}})

    @property
    def https(self):
        return {"tls_certificate_file": self.tls / "server.pem", "tls_key_file": self.tls / "server.key"}

    def ask(self, daemon, path, authorization=None, certificate=None):
        request = urllib.request.Request(daemon.url().replace("0.0.0.0", "127.0.0.1") + path)
        if authorization:
            request.add_header("Authorization", authorization)
        context = ssl.create_default_context(cafile=self.tls / "ca.pem")
        if certificate:
            context.load_cert_chain(self.tls / f"{certificate}.pem", self.tls / f"{certificate}.key")
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()

    def test_a_token(self):
        with self.daemon(token_file=self.token) as daemon:
            for path in ("/", "/metrics", "/api/status", "/api/latency", "/anything"):
                self.assertEqual(self.ask(daemon, path)[0], 401, path)
                self.assertEqual(self.ask(daemon, path, f"Bearer {TOKEN}x")[0], 401, path)
            self.assertEqual(self.ask(daemon, "/metrics", f"Bearer {TOKEN}")[0], 200)
            password = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
            self.assertEqual(self.ask(daemon, "/", f"Basic {password}")[0], 200)
            self.assertEqual(self.ask(daemon, "/healthz")[0], 200)
            self.assertEqual(self.ask(daemon, "/readyz"), (503, "no; why is told with the token\n"))
            self.assertIn("default", self.ask(daemon, "/readyz", f"Bearer {TOKEN}")[1])
            self.assertIn("tickbridge_http_unauthorized_total 10\n", self.ask(daemon, "/metrics", f"Bearer {TOKEN}")[1])
            self.assertRegex(daemon.errors(), r"http: 127.0.0.1 asked with a wrong token")
            self.assertNotIn(TOKEN, daemon.errors())

    def test_open_to_the_network_with_a_token(self):
        with self.daemon(listen="0.0.0.0:0", token_file=self.token) as daemon:
            daemon.await_text("the token goes through the network as it is", stream="err")
        with self.daemon(listen="0.0.0.0:0", token_file=self.token, **self.https) as daemon:
            daemon.await_text("listening on https://0.0.0.0", stream="err")
            self.assertNotIn("goes through the network", daemon.errors())

    def test_open_to_everybody_is_said(self):
        with self.daemon(listen="0.0.0.0:0", anonymous="true") as daemon:
            daemon.await_text("http.anonymous = true: everybody", stream="err")
            self.assertEqual(daemon.get("/metrics")[0], 200)

    def test_open_to_the_network_without_a_word_is_refused(self):
        for more in ({}, self.https):
            with self.daemon(listen="0.0.0.0:0", **more) as daemon:
                self.assertEqual(daemon.wait(20), 78)
                for way in ("http.token_file", "http.tls_client_ca_file", "http.anonymous = true"):
                    self.assertIn(way, daemon.errors())

    def test_https(self):
        with self.daemon(**self.https) as daemon:
            self.assertEqual(self.ask(daemon, "/metrics")[0], 200)
            with self.assertRaises(OSError):  # another authority's word is not enough
                urllib.request.urlopen(daemon.url(), timeout=60,
                                       context=ssl.create_default_context(cafile=self.tls / "stranger-ca.pem"))
            old = subprocess.run(["openssl", "s_client", "-connect", daemon.url().split("//")[1], "-tls1_1"],
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
            self.assertNotEqual(old.returncode, 0, "TLS 1.1")

    def test_client_certificates(self):
        with self.daemon(listen="0.0.0.0:0", tls_client_ca_file=self.tls / "ca.pem", **self.https) as daemon:
            self.assertEqual(self.ask(daemon, "/metrics", certificate="client")[0], 200)
            for nobody in (None, "stranger", "client-expired"):
                with self.assertRaises(OSError, msg=nobody):
                    self.ask(daemon, "/healthz", certificate=nobody)

    def test_files_that_are_not_what_they_should_be(self):
        short = pathlib.Path(self.folder.name) / "short"
        short.write_text("hunter2\n")
        for message, http in (("http.token_file.*too short", {"token_file": short}),
                              ("http.tls_key_file.*is not the certificate's key",
                               {**self.https, "tls_key_file": self.tls / "client.key"}),
                              ("http.tls_key_file.*without a passphrase",
                               {**self.https, "tls_key_file": self.tls / "client.encrypted.key"}),
                              ("http.tls_certificate_file.*no certificate", {**self.https, "tls_certificate_file": short})):
            with self.daemon(**http) as daemon:
                self.assertEqual(daemon.wait(20), 78, daemon.errors())
                self.assertRegex(daemon.errors(), message)
                self.assertNotIn("hunter2", daemon.errors())


if __name__ == "__main__":
    unittest.main(verbosity=2)
