#!/usr/bin/env python3
"""tickbridge doctor: what it names, what it says to do, its exit code, and that it leaves the world as it was. Embedded and
real broker, the real one with ACLs."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import harness
import recovery_world
from harness import BIN, Daemon, EmbeddedBroker, Exchange, Kafka, Verifier
from recovery_world import Wire

SECONDS = 110  # its own bound is 90


class Report:
    def __init__(self, done: subprocess.CompletedProcess):
        self.code, self.text, self.errors = done.returncode, done.stdout, done.stderr
        self.lines = re.findall(r"^  (ok  |skip|warn|FAIL)  (.*)$", self.text, re.M)

    def of(self, pattern: str, level: str | None = None) -> list[str]:
        return [text for found, text in self.lines if re.search(pattern, text) and level in (None, found.strip())]

    def failures(self) -> list[str]:
        return self.of("", "FAIL")


def doctor(servers: str, settings: dict, *flags) -> Report:
    """With what a daemon would be given."""
    words = [BIN / "tickbridge", "doctor", *flags]
    defaults = {"http.listen": "127.0.0.1:0", "producer.bootstrap.servers": servers}
    for key, value in {**defaults, **settings}.items():
        words += ["--set", f"{key}={value}"]
    return Report(subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                 timeout=SECONDS * harness.SLOW))


def closed_port() -> tuple[socket.socket, int]:
    """Bound and not listened on: nobody else gets it while the test runs."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound, bound.getsockname()[1]


class Cases(unittest.TestCase):
    def says(self, report: Report, level: str, *parts: str):
        """One line of that level has all the parts."""
        for found, text in report.lines:
            if found.strip() == level and all(part in text for part in parts):
                return
        self.fail(f"no {level} line with {parts}\n{report.text}{report.errors}")

    def fine(self, report: Report):
        self.assertEqual(report.failures(), [], report.text)
        self.assertEqual(report.code, 0, report.text + report.errors)


class Embedded(Cases):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 2_000)
        cls.broker = EmbeddedBroker({"ticks": 3, "ticks.dead": 1, "tickbridge.checkpoints": 1, "tickbridge.checkpoints.state": 1})
        cls.exchange = Exchange("--file", cls.file, "--username", "feed", "--password", "right")
        cls.password = pathlib.Path(cls.folder.name) / "password"
        cls.password.write_text("right\n")
        cls.password.chmod(0o600)

    @classmethod
    def tearDownClass(cls):
        cls.exchange.end()
        cls.broker.end()
        cls.folder.cleanup()

    def settings(self, **more):
        return {**harness.address(self.exchange), "feed.default.username": "feed",
                "feed.default.password_file": self.password, **more}

    def test_all_is_well(self):
        report = doctor(self.broker.servers, self.settings())
        self.fine(report)
        self.says(report, "ok", "configuration", "built-in defaults is sound: 1 feed(s)")
        self.says(report, "ok", "secrets", "can be read")
        self.says(report, "ok", f"feed default 127.0.0.1:{self.exchange.port}", "reached: 127.0.0.1 in")
        self.says(report, "ok", "versions: tickbridge", "librdkafka", "OpenSSL")
        self.says(report, "ok", "bootstrap.servers", "reached")
        self.says(report, "warn", "cluster", "embedded")
        self.says(report, "skip", "rights", "embedded")
        self.says(report, "skip", "login", "doctor --login")
        self.assertTrue(report.of("^clock: "), report.text)
        self.assertEqual(bool(report.of("^user: root", "warn")), os.geteuid() == 0, report.text)
        self.assertNotIn("login", self.exchange.output() + self.exchange.errors(), "the exchange was logged in to")
        self.assertRegex(report.text.splitlines()[-1], r"^\d+ ok, \d+ warning\(s\), 0 failure\(s\), \d+ not checked$")

    def test_login(self):
        report = doctor(self.broker.servers, self.settings(), "--login")
        self.fine(report)
        self.assertRegex(report.of("feed default login", "ok")[0], r"accepted: session \S+, next packet \d+; logged out")

    def test_a_wrong_password(self):
        wrong = pathlib.Path(self.folder.name) / "wrong"
        wrong.write_text("wrong\n")
        report = doctor(self.broker.servers, self.settings(**{"feed.default.password_file": wrong}), "--login")
        self.says(report, "FAIL", "feed default login", "not authorised", "feed.default.username", "password_file")
        self.says(report, "warn", "configuration", "password_file", f"chmod o-r {wrong}")
        self.assertEqual(report.code, 76, report.text)

    def test_a_session_that_is_not_there(self):
        report = doctor(self.broker.servers, self.settings(**{"feed.default.session": "NOSUCH"}), "--login")
        self.says(report, "FAIL", "feed default login", '"NOSUCH" is not available', "feed.default.session")
        self.assertEqual(report.code, 69, report.text)

    def test_a_login_behind_a_compressed_stream(self):
        with Exchange("--file", self.file, "--compression", "zlib-stream") as exchange:
            report = doctor(self.broker.servers, {**harness.address(exchange), "feed.default.compression": "zlib-stream"},
                            "--login")
            self.fine(report)
            self.says(report, "ok", "feed default login", "accepted")
            report = doctor(self.broker.servers, harness.address(exchange), "--login")
            self.says(report, "FAIL", "feed default login", ".compression")
            self.assertEqual(report.code, 69, report.text)

    def test_tls_to_the_exchange(self):
        sys.path.insert(0, str(harness.ROOT / "tools"))
        import certificates
        made = certificates.make(pathlib.Path(self.folder.name) / "tls")
        with Exchange("--file", self.file, "--tls-certificate", made / "server.pem", "--tls-key", made / "server.key") as exchange:
            settings = {**harness.address(exchange), "feed.default.tls": "true"}
            report = doctor(self.broker.servers, {**settings, "feed.default.tls_ca_file": made / "ca.pem"}, "--login")
            self.fine(report)
            self.says(report, "ok", "feed default TLS", "TLSv1.3", "it is for")
            self.says(report, "ok", "feed default login", "accepted")
            report = doctor(self.broker.servers, {**settings, "feed.default.tls_ca_file": made / "stranger-ca.pem"}, "--login")
            self.says(report, "FAIL", "feed default TLS", "tls_ca_file")
            self.assertEqual(report.code, 69, report.text)
        report = doctor(self.broker.servers, {**self.settings(), "feed.default.tls": "true"})
        self.says(report, "FAIL", "feed default TLS", "feed.default.tls")
        self.assertEqual(report.code, 69, report.text)

    def test_nobody_listens(self):
        bound, port = closed_port()
        with bound:
            report = doctor(f"127.0.0.1:{port}", self.settings(**{"feed.default.port": port}))
        self.says(report, "FAIL", f"feed default 127.0.0.1:{port}", "Connection refused", "firewalls")
        self.says(report, "FAIL", f"bootstrap.servers 127.0.0.1:{port}", "Connection refused")
        self.says(report, "FAIL", "cluster", "does not answer")
        self.says(report, "skip", "topics", "Kafka does not answer")
        self.says(report, "ok", "configuration", "sound")  # hides nothing else
        self.assertEqual(report.code, 69, report.text)

    def test_a_second_address_makes_a_dead_one_a_warning(self):
        bound, port = closed_port()
        with bound, tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(f'[feed.f]\nhosts = ["127.0.0.1:{port}", "127.0.0.1:{self.exchange.port}"]\n')
            file.flush()
            report = doctor(f"127.0.0.1:{port},{self.broker.servers}", {}, "--config", file.name)
        self.fine(report)
        self.says(report, "warn", f"feed f 127.0.0.1:{port}", "Connection refused")
        self.says(report, "warn", f"bootstrap.servers 127.0.0.1:{port}", "Connection refused")

    def test_a_name_that_is_none(self):
        report = doctor("no-such-broker.invalid:9092", self.settings(**{"feed.default.host": "no-such-exchange.invalid"}))
        self.says(report, "FAIL", "no-such-exchange.invalid", "cannot be resolved", "/etc/hosts")
        self.says(report, "FAIL", "no-such-broker.invalid", "cannot be resolved")
        self.assertEqual(report.code, 69, report.text)

    def test_an_unknown_option(self):
        report = doctor(self.broker.servers, self.settings(**{"feed.default.topik": "x"}))
        self.says(report, "FAIL", "feed.default.topik", "feed.default.topic")
        self.says(report, "skip", "all else")
        self.assertEqual(report.code, 78, report.text)

    def test_a_missing_file(self):
        report = doctor(self.broker.servers, {}, "--config", "/nonexistent/tickbridge.toml")
        self.says(report, "FAIL", "/nonexistent/tickbridge.toml", "cannot be read")
        self.assertEqual(report.code, 78, report.text)

    def test_a_missing_password_file(self):
        report = doctor(self.broker.servers, self.settings(**{"feed.default.password_file": "/nonexistent/password"}))
        self.says(report, "FAIL", "feed.default.password_file", "/nonexistent/password", "cannot be read")
        self.assertEqual(report.code, 78, report.text)

    def test_an_unknown_flag(self):
        report = doctor(self.broker.servers, {}, "--exit-at-ent")
        self.assertEqual(report.code, 64, report.text)
        self.assertIn("did you mean --exit-at-end", report.errors)

    def test_a_secret_that_others_can_read(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('[feed.f]\nhost = "127.0.0.1"\nport = %d\n[producer]\n"sasl.password" = "hush"\n' % self.exchange.port)
            file.flush()
            os.chmod(file.name, 0o644)
            report = doctor(self.broker.servers, {}, "--config", file.name)
            self.says(report, "FAIL", "configuration", "sasl.password", f"chmod o-r {file.name}")
            self.assertEqual(report.code, 78, report.text)
            os.chmod(file.name, 0o600)
            tight = doctor(self.broker.servers, {}, "--config", file.name)
        self.fine(tight)
        self.says(tight, "warn", "configuration", "sasl.password_file")
        self.assertNotIn("hush", report.text + report.errors + tight.text + tight.errors)

    def test_a_port_that_somebody_else_has(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            def answer():  # somebody who is no tickbridge
                while True:
                    try:
                        with server.accept()[0] as peer:
                            peer.recv(1000)
                            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n{}")
                    except OSError:
                        return
            threading.Thread(target=answer, daemon=True).start()
            place = f"127.0.0.1:{server.getsockname()[1]}"
            report = doctor(self.broker.servers, self.settings(**{"http.listen": place}))
            server.shutdown(socket.SHUT_RDWR)
        self.says(report, "FAIL", f"http.listen {place}", "in use")
        self.assertEqual(report.code, 69, report.text)

    def test_what_the_host_lacks(self):
        command = f'ulimit -n 256; exec "$0" doctor --set core_dumps=true --set feed.default.host=127.0.0.1 ' \
                  f'--set feed.default.port={self.exchange.port} --set pipeline.ring_bytes=64GiB --set http.listen= ' \
                  f'--set producer.bootstrap.servers={self.broker.servers} --set pipeline.workers=250 ' \
                  f'--set producer.receive.buffer.bytes=100000000'
        report = Report(subprocess.run(["bash", "-c", command, BIN / "tickbridge"], capture_output=True, text=True,
                                       timeout=SECONDS * harness.SLOW))
        self.says(report, "warn", "open files", "256", "LimitNOFILE")
        self.says(report, "warn", "core dumps", "core_dumps = true")
        self.says(report, "warn", "memory", "pipeline.ring_bytes")
        self.says(report, "warn", "cores", "pipeline.workers = 250")
        self.says(report, "warn", "socket buffers", "net.core.rmem_max", "sysctl -w")
        self.assertEqual(report.code, 0, report.text)

    def test_json(self):
        report = doctor(self.broker.servers, self.settings(**{"feed.default.port": 1}), "--json")
        told = json.loads(report.text)
        self.assertEqual((told["code"], report.code), (69, 69))
        failed = [line for line in told["checks"] if line["level"] == "FAIL"]
        self.assertEqual([(line["section"], line["check"], line["code"]) for line in failed],
                         [("exchange", "feed default 127.0.0.1:1", 69)])
        self.assertEqual((told["failures"], len(told["checks"])),
                         (1, told["ok"] + told["warnings"] + told["failures"] + told["not_checked"]))

    def test_help(self):
        report = doctor(self.broker.servers, {}, "--help")
        self.assertEqual(report.code, 0)
        self.assertIn("--login", report.text)
        daemon = subprocess.run([BIN / "tickbridge", "--help"], capture_output=True, text=True, timeout=60)
        self.assertIn("tickbridge doctor", daemon.stdout)


ALLOW, DENY = 3, 2
TOPIC, TRANSACTIONAL_ID = 2, 5
READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10


def acl(servers, resource, name, operation, permission, principal="User:ANONYMOUS"):
    """CreateAcls v2. Whoever is named by one ACL of a resource loses what nobody gives him there."""
    def text(value):
        return bytes([len(value) + 1]) + value.encode()
    body = b"\2" + bytes([resource]) + text(name) + b"\3" + text(principal) + text("*") + bytes([operation, permission]) + b"\0\0"
    answer = Wire(servers, 30, 2, body)
    answer.number("i")  # throttle time
    errors = answer.array(lambda: (answer.number("h"), answer.text(), answer.number("B"))[:2])
    assert errors == [(0, "")], errors


class Real(Cases):
    """A broker with an authorizer. What no ACL speaks of is free to all, so the other tests need none."""

    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(1, "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                          "allow.everyone.if.no.acl.found=true")
        cls.servers = cls.kafka.servers
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 30_000)
        cls.exchange = Exchange("--file", cls.file)
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.exchange.end()
        cls.kafka.end()
        cls.folder.cleanup()

    def settings(self, *config, create=True, exchange=None, **more):
        """A feed with a topic of its own (3 partitions), and checkpoints of its own."""
        type(self).count += 1
        name = f"d{self.count}"
        if create:
            self.kafka.topic(name, 3, 1, *config)
        return {**harness.address(exchange or self.exchange), "feed.default.topic": name,
                "feed.default.dead_letter_topic": name + ".dead", "checkpoint.topic": name + ".notes",
                "producer.transactional_id_prefix": name, **more}

    def run_daemon(self, settings, *flags):
        with Daemon(self.servers, settings, "--exit-at-end", *flags) as daemon:
            self.assertEqual(daemon.wait(60), 0, daemon.errors())

    def topics(self):
        from confluent_kafka.admin import AdminClient
        return set(AdminClient({"bootstrap.servers": self.servers}).list_topics(timeout=20).topics)

    def ends(self, *topics):
        from confluent_kafka import Consumer, TopicPartition
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "none", "isolation.level": "read_uncommitted"})
        try:
            found = {}
            for topic in topics:
                for partition in consumer.list_topics(topic, timeout=20).topics[topic].partitions:
                    at = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
                    found[topic, partition] = at
            return found
        finally:
            consumer.close()

    def test_all_is_well_and_nothing_is_made(self):
        settings = self.settings()
        before = self.topics()
        report = doctor(self.servers, settings)
        self.fine(report)
        name = settings["feed.default.topic"]
        self.says(report, "ok", "cluster: ", "1 broker(s)")
        self.says(report, "ok", "broker 1", "reached", "Kafka 4.1 or later")
        self.says(report, "warn", f"topic {name}", "one replica")
        self.says(report, "ok", f"dead letters {name}.dead", "the daemon will create it, with 1 partition(s)")
        self.says(report, "ok", f"checkpoints {name}.notes", "the daemon will create it")
        self.says(report, "ok", "right to write idempotently", "given")
        self.says(report, "ok", f"right to write topic {name}", "given")
        self.says(report, "ok", f"right to read topic {name}", "given")
        self.says(report, "skip", f"transactional id {name}-default", "would fence")
        self.assertEqual(self.topics(), before)
        self.assertEqual(set(self.ends(name).values()), {(0, 0)})

    def test_a_topic_that_is_not_there(self):
        settings = self.settings(create=False)
        report = doctor(self.servers, settings)
        name = settings["feed.default.topic"]
        self.says(report, "FAIL", f"topic {name}: does not exist", "kafka-topics.sh", f"--create --topic {name}")
        self.assertEqual(report.code, 69, report.text)
        made = doctor(self.servers, {**settings, "topics.create": "true", "topics.replication_factor": 1})
        self.fine(made)
        self.says(made, "ok", f"topic {name}", "the daemon will create it, with 12 partition(s)")
        cannot = doctor(self.servers, {**settings, "topics.create": "true", "topics.replication_factor": 3})
        self.says(cannot, "FAIL", f"topic {name}", "cannot be created", "topics.replication_factor")
        self.assertEqual(cannot.code, 69, cannot.text)
        self.assertNotIn(name, self.topics())

    def test_times_that_do_not_fit(self):
        report = doctor(self.servers, self.settings(**{"feed.default.timestamp": "broker"}))
        self.says(report, "FAIL", 'timestamp = "broker"', "message.timestamp.type=LogAppendTime")
        self.assertEqual(report.code, 69, report.text)
        report = doctor(self.servers, self.settings("message.timestamp.type=LogAppendTime"))
        self.fine(report)
        self.says(report, "warn", "LogAppendTime", 'feed.default.timestamp = "broker"')

    def test_settings_of_a_topic(self):
        report = doctor(self.servers, self.settings("min.insync.replicas=2"))
        self.says(report, "FAIL", "min.insync.replicas = 2 with 1 replica(s)", "kafka-configs.sh", "min.insync.replicas=1")
        self.assertEqual(report.code, 75, report.text)
        report = doctor(self.servers, self.settings("cleanup.policy=compact"))
        self.says(report, "FAIL", "compacted", "cleanup.policy=delete")
        self.assertEqual(report.code, 78, report.text)
        report = doctor(self.servers, self.settings("max.message.bytes=20000"))
        self.says(report, "FAIL", "at most 20000 bytes", "producer.batch.size = 20000")
        self.assertEqual(report.code, 78, report.text)
        report = doctor(self.servers, self.settings("retention.ms=3600000", **{"feed.default.trading_date": "2019-12-30"}))
        self.fine(report)
        self.says(report, "warn", "retention is 60m", "2019-12-30")

    def test_missing_rights_are_named(self):
        settings = self.settings()
        name = settings["feed.default.topic"]
        acl(self.servers, TOPIC, name, DESCRIBE, ALLOW)
        acl(self.servers, TRANSACTIONAL_ID, f"{name}-default", WRITE, DENY)
        report = doctor(self.servers, settings)
        self.says(report, "FAIL", f"right to write topic {name}", "--allow-principal User:ANONYMOUS --operation Write")
        self.says(report, "FAIL", f"right to read topic {name}", "--operation Read")
        self.says(report, "warn", f"topic {name}", "settings could not be read", "--operation DescribeConfigs")
        self.says(report, "warn", f"transactional id {name}-default", "denies", f"--transactional-id {name}-default")
        self.assertEqual(report.code, 69, report.text)
        strict = doctor(self.servers, {**settings, "feed.default.delivery": "transactional"})
        self.says(strict, "FAIL", f"transactional id {name}-default", "denies")
        for operation in (READ, WRITE, DESCRIBE_CONFIGS):
            acl(self.servers, TOPIC, name, operation, ALLOW)
        cured = doctor(self.servers, settings)
        self.fine(cured)
        self.says(cured, "ok", f"right to write topic {name}", "given")
        self.says(cured, "ok", f"right to read topic {name}", "given")
        self.assertEqual(set(self.ends(name).values()), {(0, 0)})

    def test_a_topic_that_may_not_even_be_seen(self):
        settings = self.settings()
        acl(self.servers, TOPIC, settings["feed.default.topic"], DESCRIBE, ALLOW, "User:somebody")
        report = doctor(self.servers, settings)
        self.says(report, "FAIL", f"topic {settings['feed.default.topic']}", "TOPIC_AUTHORIZATION_FAILED", "kafka-acls.sh")
        self.assertEqual(report.code, 69, report.text)

    def test_what_a_transactional_id_may_is_read_from_its_acls(self):
        settings = self.settings()
        name = settings["feed.default.topic"]
        acl(self.servers, TRANSACTIONAL_ID, f"{name}-default", WRITE, ALLOW)
        self.says(doctor(self.servers, settings), "ok", f"transactional id {name}-default", "given")

    def test_checkpoints_before_and_after(self):
        settings = self.settings()
        self.says(doctor(self.servers, settings), "ok", "checkpoints", "none yet")
        self.run_daemon(settings)
        before = self.ends(settings["checkpoint.topic"], settings["feed.default.topic"])
        report = doctor(self.servers, settings)
        self.fine(report)
        self.says(report, "ok", "checkpoint of feed default", "next packet 30001", "epoch 1", "stopped cleanly")
        changed = doctor(self.servers, {**settings, "feed.default.key": "none"})
        self.fine(changed)
        self.says(changed, "ok", "takes over what has changed", "key")
        other = doctor(self.servers, settings, "--start", "beginning")
        self.says(other, "warn", "--start beginning would give up")
        self.assertEqual(self.ends(settings["checkpoint.topic"], settings["feed.default.topic"]), before)

    def test_a_log_that_is_not_the_checkpoints_any_more(self):
        settings = self.settings()
        self.run_daemon(settings)
        from confluent_kafka.admin import AdminClient
        name = settings["feed.default.topic"]
        admin = AdminClient({"bootstrap.servers": self.servers})
        admin.delete_topics([name])[name].result(30)
        self.assertIn("does not exist", "".join(doctor(self.servers, settings).failures()))
        self.kafka.topic(name, 3)
        report = doctor(self.servers, settings)
        self.says(report, "FAIL", "checkpoint of feed default", "--start")
        self.assertEqual(report.code, 65, report.text)

    def test_beside_a_daemon_and_after_its_death(self):
        with Exchange("--file", self.file, "--rate", "6000") as exchange:
            settings = self.settings(exchange=exchange)
            with Daemon(self.servers, settings) as daemon:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 1000)
                place = re.search(r"http://(\S+)", daemon.url())[1]
                report = doctor(self.servers, {**settings, "http.listen": place}, "--login")
                self.fine(report)
                self.says(report, "ok", f"http.listen {place}", "a running tickbridge")
                self.says(report, "ok", "feed default login", "accepted")
                self.says(report, "ok", "checkpoint of feed default", "epoch 1", "which runs")
                doctor(self.servers, {**settings, "http.listen": place})
                feed = daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= 15_000, 60)
                self.assertEqual((feed["reconnects"], feed["foreign_writes"]), (0, 0), feed)
                self.assertEqual(feed["state"], "streaming")
                daemon.signal(signal.SIGKILL)
                daemon.wait(30)
            dead = doctor(self.servers, settings)
            self.fine(dead)
            self.says(dead, "ok", "checkpoint of feed default", "epoch 1", "not stopped cleanly", "aligns")
            changed = doctor(self.servers, {**settings, "feed.default.key": "none"})
            self.says(changed, "FAIL", "checkpoint of feed default", "--accept-change")
            self.assertEqual(changed.code, 78, changed.text)
            accepted = doctor(self.servers, {**settings, "feed.default.key": "none"}, "--accept-change")
            self.fine(accepted)
            self.says(accepted, "warn", "aligns under the old configuration", "key")
        with Exchange("--file", self.file) as exchange:
            self.run_daemon({**settings, **harness.address(exchange)})
        with Verifier(self.file, self.servers, settings["feed.default.topic"], follow=False) as verifier:
            self.assertTrue(verifier.verdict(60).endswith(harness.EXACT), verifier.output())

    def test_an_address_that_the_cluster_tells_and_nobody_reaches(self):
        bound, port = closed_port()
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        with bound:
            cluster = lambda *words: subprocess.run([harness.ROOT / "tools/kafka", words[0], "--dir", f"{folder}/cluster",
                                                     *words[1:]], check=True, capture_output=True, timeout=300)
            cluster("up", "--advertise", f"1=127.0.0.1:{port}")
            self.addCleanup(cluster, "down")
            front = json.loads(pathlib.Path(folder, "cluster/cluster.json").read_text())["brokers"][0]["front_port"]
            report = doctor(f"127.0.0.1:{front}", self.settings(create=False))
            self.says(report, "ok", f"bootstrap.servers 127.0.0.1:{front}", "reached")
            self.says(report, "FAIL", f"broker 1 127.0.0.1:{port}", "Connection refused", "advertised.listeners of broker 1")
            self.assertEqual(report.code, 69, report.text)


if __name__ == "__main__":
    recovery_world.in_venv()
    unittest.main(verbosity=2)
