#!/usr/bin/env python3
"""TLS and logins to a real Kafka: whole exactly-once runs with a crash over each, and what is said when one is wrong.

Debian 12's librdkafka cannot do SCRAM with Kafka 4 (docs/security.md): SCRAM runs against Kafka 3.9, and against Kafka 4
with a newer librdkafka under the same daemon.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import ROOT, Daemon, Exchange, Kafka, Verifier

sys.path.insert(0, str(ROOT / "tools"))
from certificates import PASSWORD as KEY_PASSWORD  # noqa: E402
from kafka_security import PASSWORD, USER  # noqa: E402

MESSAGES = 60_000


def toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def producer(**properties) -> str:
    """A [producer] table; names with _ for the dots, __ for _."""
    names = {name: name.replace("__", "\0").replace("_", ".").replace("\0", "_") for name in properties}
    return "".join(f"{toml(names[name])} = {toml(str(value))}\n" for name, value in properties.items())


class Secrets:
    """Files that only their owner may read."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


def newer_library(folder) -> dict:
    """An environment in which programs run with the librdkafka of the check's Python environment (2.6.1)."""
    python = pathlib.Path(subprocess.run([ROOT / "tests/check/venv.sh"], capture_output=True, text=True,
                                         check=True).stdout.split()[-1])
    found = list(python.parent.parent.glob("lib/python*/site-packages/confluent_kafka.libs/librdkafka-*.so.1"))
    assert len(found) == 1, found
    (pathlib.Path(folder) / "librdkafka.so.1").symlink_to(found[0])
    return {"LD_LIBRARY_PATH": str(folder)}


class Case(unittest.TestCase):
    """One broker for all tests of a class."""

    version = ""
    listeners = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tickbridge-security-")
        cls.kafka = Kafka(1, security=cls.listeners, version=cls.version)
        cls.certificates = cls.kafka.certificates
        cls.secrets = Secrets(cls.folder.name)
        cls.password = cls.secrets.write("password", PASSWORD + "\n")
        cls.key_password = cls.secrets.write("key-password", KEY_PASSWORD)
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", MESSAGES)

    @classmethod
    def tearDownClass(cls):
        cls.kafka.end()
        cls.folder.cleanup()

    def config(self, topic: str, exchange, settings: str, more: str = "") -> str:
        return (f'{more}\n[feed.default]\nhosts = ["{exchange.host}:{exchange.port}"]\ntopic = "{topic}"\n'
                f'dead_letter_topic = "{topic}.dead"\n[checkpoint]\ninterval = "50ms"\n[topics]\ncreate = true\n'
                f"partitions = 3\nreplication_factor = 1\n[producer]\n{settings}")

    def verify(self, servers: str, topic: str, config: str, environment=None):
        path = self.secrets.write(f"{topic}.toml", config)
        done = subprocess.run([harness.TOOLS / "tickbridge-verify", "--file", self.file, "--bootstrap", servers, "--topic", topic,
                               "--config", path], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **(environment or {})})
        self.assertTrue(done.stdout.endswith(harness.EXACT + "\n"), done.stdout + done.stderr)

    seen: list = []

    def runs(self, listener: str, settings: str, environment=None):
        """Exactly once, with a crash in the middle: checkpoints, the fence, reading back and aligning all use it."""
        topic, servers = f"t{len(self.seen)}", self.kafka.secure[listener]
        self.seen.append(topic)
        with Exchange("--file", self.file, "--rate", 40_000) as exchange:
            config = self.config(topic, exchange, settings)
            with Daemon(servers, {}, config=config, environment=environment) as daemon:
                daemon.await_feed(lambda f: f["messages_acknowledged"] > MESSAGES // 3)
                daemon.process.kill()
                daemon.wait(20)
            with Daemon(servers, {}, config=config, environment=environment) as daemon:
                daemon.await_text("(?s)recovery: fencing.*owned, epoch.*aligned before", stream="err")
                daemon.await_feed(lambda f: f["next_sequence"] == MESSAGES + 1)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(30), 0, daemon.errors())
                self.assertNotIn(PASSWORD, daemon.errors())
        self.verify(servers, topic, config, environment)


class Kafka4(Case):
    listeners = "plain,scram,tls,mtls,sasl_tls,expired,elsewhere,stranger"

    def test_plain(self):
        self.runs("plain", producer(security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", sasl_username=USER,
                                    sasl_password__file=self.password))

    def test_plain_over_tls_as_java_writes_it(self):
        quoted = PASSWORD.replace('"', '\\"')
        self.runs("sasl_tls", producer(
            security_protocol="SASL_SSL", sasl_mechanism="PLAIN", ssl_ca_location=self.certificates / "ca.pem",
            sasl_jaas_config="org.apache.kafka.common.security.plain.PlainLoginModule required "
                             f'username="{USER}" password="{quoted}";'))

    def test_mutual_tls(self):
        self.runs("mtls", producer(
            security_protocol="SSL", ssl_ca_location=self.certificates / "ca.pem",
            ssl_certificate_location=self.certificates / "client.pem",
            ssl_key_location=self.certificates / "client.encrypted.key", ssl_key_password__file=self.key_password))

    def test_mutual_tls_with_a_keystore(self):
        self.runs("mtls", producer(security_protocol="SSL", ssl_ca_location=self.certificates / "ca.pem",
                                   ssl_keystore_location=self.certificates / "client.p12",
                                   ssl_keystore_password__file=self.key_password))

    def test_scram_with_a_newer_library(self):
        with tempfile.TemporaryDirectory() as folder:
            self.runs("sasl_tls", producer(
                security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username=USER,
                sasl_password__file=self.password, ssl_ca_location=self.certificates / "ca.pem"), newer_library(folder))

    def test_what_is_said_when_it_is_wrong(self):
        ca = self.certificates / "ca.pem"
        plain = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": USER}
        wrong = self.secrets.write("wrong", "wrong\n")
        tls = {"security_protocol": "SSL", "ssl_ca_location": ca}
        own = {"ssl_certificate_location": self.certificates / "client.pem"}
        expired = {"ssl_certificate_location": self.certificates / "client-expired.pem",
                   "ssl_key_location": self.certificates / "client-expired.key"}
        with tempfile.TemporaryDirectory() as empty:
            cases = {  # name: listener, settings, exit code, what is said
                "password": ("plain", {**plain, "sasl_password__file": wrong}, 69, "refuses the login.*sasl.password"),
                "scram": ("scram", {**plain, "sasl_mechanism": "SCRAM-SHA-256", "sasl_password__file": self.password}, 69,
                          "refuses the login.*before 2.6.1 cannot log in by SCRAM to Kafka 4.0"),
                "mechanism": ("scram", {**plain, "sasl_password__file": self.password}, 69, "set producer.sasl.mechanism to"),
                "no login": ("plain", {}, 69, "the listener wants a login"),
                "login nobody wants": ("", {**plain, "sasl_password__file": wrong}, 69, "the listener takes no login"),
                "expired": ("expired", tls, 69, "has expired: have it renewed"),
                "host": ("elsewhere", tls, 69, "is for another host"),
                "authority": ("stranger", tls, 69, "authority that is not known here: set producer.ssl.ca.location"),
                "no authority": ("tls", {"security_protocol": "SSL"}, 69, "authority that is not known here"),
                "no certificate": ("mtls", tls, 69, "wants the daemon's certificate"),
                "own expired": ("mtls", {**tls, **expired}, 69, "does not take the daemon's certificate"),
                "no TLS": ("tls", {}, 69, "the port may want TLS"),
                "TLS": ("", tls, 69, "the port does not speak TLS"),
                "no CA file": ("tls", {"security_protocol": "SSL", "ssl_ca_location": empty + "/ca.pem"}, 78,
                               r"toml:\d+: producer.ssl.ca.location = .*cannot be read"),
                "no key": ("mtls", {**tls, **own}, 78, r"toml:\d+: producer.ssl.certificate.location.*has no key"),
                "other key": ("mtls", {**tls, **own, "ssl_key_location": self.certificates / "stranger.key"}, 78,
                              "do not belong together"),
                "key's password": ("mtls", {**tls, **own, "ssl_key_location": self.certificates / "client.encrypted.key",
                                            "ssl_key_password__file": wrong}, 78, "check producer.ssl.key.password"),
                "keystore's password": ("mtls", {**tls, "ssl_keystore_location": self.certificates / "client.p12",
                                                 "ssl_keystore_password__file": wrong}, 78,
                                        "check producer.ssl.keystore.password"),
                "unreachable": ("127.0.0.1:1", tls, 69, "nothing listens there"),
                "unknown": ("nowhere.invalid:9092", tls, 69, "the name is not known here"),
            }
            with Exchange("--file", self.file) as exchange:
                self.fail_all(cases, exchange)

    def fail_all(self, cases: dict, exchange):
        began, daemons = time.monotonic(), {}
        try:
            for name, (listener, settings, _, _) in cases.items():
                servers = self.kafka.secure.get(listener, listener or self.kafka.servers)
                daemons[name] = Daemon(servers, {}, config=self.config("none", exchange, producer(**settings),
                                                                       'startup_timeout = "5s"'))
                if len(daemons) % 5 == 0:
                    daemons[name].wait(30)
            for name, (_, _, code, said) in cases.items():
                with self.subTest(name):
                    self.assertEqual(daemons[name].wait(30), code, daemons[name].errors())
                    last = [line for line in daemons[name].errors().splitlines() if not re.search(r" librdkafka [A-Z]+: ", line)]
                    self.assertRegex(" ".join(last), re.compile(said, re.S))
        finally:
            for daemon in daemons.values():
                daemon.end()
        print(f"{len(cases)} refusals in {time.monotonic() - began:.1f} s", flush=True)


class Kafka3(Case):
    version = "3.9.1"
    listeners = "scram,sasl_tls"

    def login(self, mechanism: str, **more) -> str:
        return producer(sasl_mechanism=mechanism, sasl_username=USER, sasl_password__file=self.password, **more)

    def test_scram_256(self):
        self.runs("scram", self.login("SCRAM-SHA-256", security_protocol="SASL_PLAINTEXT"))

    def test_scram_512_over_tls(self):
        self.runs("sasl_tls", self.login("SCRAM-SHA-512", security_protocol="SASL_SSL",
                                         ssl_ca_location=self.certificates / "ca.pem"))

    def test_z_a_password_that_changes(self):
        """The daemon cannot come back to the broker, says so and waits; the next one reads the new password: nothing is
        lost. Last: the password stays changed."""
        servers = self.kafka.secure["scram"]
        with Exchange("--file", self.file, "--rate", 5_000) as exchange:
            config = self.config("rotated", exchange, self.login("SCRAM-SHA-512", security_protocol="SASL_PLAINTEXT"),
                                 'shutdown_timeout = "1s"')
            with Daemon(servers, {}, config=config) as daemon:
                daemon.await_feed(lambda f: f["messages_acknowledged"] > 1000)
                self.kafka.run("password", USER, stdin="another\n")
                self.kafka.run("kill", 1)
                self.kafka.run("start", 1)
                daemon.await_text("Kafka: Local: Authentication failure.*check producer.sasl.username", stream="err")
                self.assertEqual(daemon.get("/readyz")[0], 503)
                self.assertLess(daemon.feed()["messages_acknowledged"], MESSAGES)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(30), 75, daemon.errors())
            self.password.write_text("another\n")
            with Daemon(servers, {}, config=config) as daemon:
                daemon.await_feed(lambda f: f["next_sequence"] == MESSAGES + 1, seconds=60)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(30), 0, daemon.errors())
            self.verify(servers, "rotated", config)


if __name__ == "__main__":
    unittest.main(verbosity=2)
