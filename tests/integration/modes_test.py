#!/usr/bin/env python3
"""Delivery and send modes, many feeds in one daemon, small reads, an idle daemon, and how it stops. Real broker."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import harness
from harness import Daemon, Exchange, Kafka, Verifier
from main_job_test import cpu_seconds


class RealBroker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(1)
        cls.folder = tempfile.TemporaryDirectory()
        cls.file = harness.generate(pathlib.Path(cls.folder.name) / "s.itch", 20_000)
        cls.topics = 0

    @classmethod
    def tearDownClass(cls):
        cls.kafka.end()
        cls.folder.cleanup()

    def topic(self, partitions=3, *config):
        type(self).topics += 1
        name = f"m{self.topics}"
        self.kafka.topic(name, partitions, 1, *config)
        return name

    def settings(self, topic, feed="default", **more):
        return {f"feed.{feed}.topic": topic, f"feed.{feed}.dead_letter_topic": topic + ".dead",
                **{f"feed.{feed}.{key}": value for key, value in more.items()}}

    def verify(self, topic, *flags, file=None):
        with Verifier(file or self.file, self.kafka.servers, topic, *flags, follow=False) as verifier:
            return verifier.verdict(60)

    def exact(self, settings, exchange_flags=(), topic=None, file=None, verify_flags=()):
        topic = topic or self.topic()
        with Exchange("--file", file or self.file, *exchange_flags) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic, **settings), **harness.address(exchange)},
                       "--exit-at-end") as daemon:
            self.assertEqual(daemon.wait(60), 0, daemon.errors())
        self.assertTrue(self.verify(topic, *verify_flags, file=file).endswith(harness.EXACT), daemon.errors())
        return topic


class Modes(RealBroker):
    def test_at_least_once(self):
        self.exact({"delivery": "at_least_once"})

    def test_at_most_once(self):
        self.exact({"delivery": "at_most_once"})

    def test_fire_and_forget(self):
        self.exact({"delivery": "at_most_once", "send": "fire_and_forget"})

    def test_sync(self):
        self.exact({"send": "sync"})

    def test_send_time_and_receive_time(self):
        for timestamp in ("send", "receive"):
            with self.subTest(timestamp):
                began = int(time.time() * 1000)
                topic = self.exact({"timestamp": timestamp})
                stamps = [int(line) for line in self.kcat(topic, "%T\\n").split()]
                self.assertEqual(len(stamps), 20_000)
                self.assertGreaterEqual(min(stamps), began)
                self.assertLessEqual(max(stamps), int(time.time() * 1000))

    def test_broker_time_needs_a_topic_with_log_append_time(self):
        self.exact({"timestamp": "broker"}, topic=self.topic(3, "message.timestamp.type=LogAppendTime"))
        with Exchange("--file", self.file) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(self.topic(), timestamp="broker"),
                                            **harness.address(exchange)}) as daemon:
            self.assertEqual(daemon.wait(20), 69)
            self.assertIn("message.timestamp.type=LogAppendTime", daemon.errors())

    def test_every_way_to_choose_key_and_partition(self):
        symbol = self.kcat(self.exact({}), "%k\\n").split()[0]
        for lines in ('key = "instrument"', 'partitioner = "crc32"', 'key = "instrument"\npartitioner = "crc32"',
                      'key = "none"', 'key = "none"\npartitioner = "round_robin"',
                      f'partitioner = "explicit"\npartitions = {{ "{symbol}" = 2, "*" = 1 }}'):
            with self.subTest(lines):
                topic = self.topic(3)
                text = f'[feed.default]\n{lines}\n'
                with Exchange("--file", self.file) as exchange, \
                        Daemon(self.kafka.servers, {**self.settings(topic), **harness.address(exchange)}, "--exit-at-end",
                               config=text) as daemon:
                    self.assertEqual(daemon.wait(60), 0, daemon.errors())
                    verdict = self.verify(topic, "--config", f"{daemon.folder.name}/tickbridge.toml")
                self.assertTrue(verdict.endswith(harness.EXACT), verdict)

    def test_headers_are_what_was_asked_for(self):
        path = pathlib.Path(self.folder.name) / "headers.toml"
        topic = self.topic()
        with Exchange("--file", self.file) as exchange, \
                Daemon(self.kafka.servers, {}, "--exit-at-end", config=f'''
[feed.nasdaq]
hosts = ["{exchange.host}:{exchange.port}"]
topic = "{topic}"
dead_letter_topic = "{topic}.dead"
headers = ["sequence", "feed", "receive_time"]
''') as daemon:
            self.assertEqual(daemon.wait(60), 0, daemon.errors())
        headers = self.kcat(topic, "%h\\n").splitlines()
        sequences = sorted(int(dict(pair.split("=") for pair in line.split(","))["sequence"]) for line in headers)
        self.assertEqual(sequences, list(range(1, 20_001)))
        self.assertTrue(all("feed=nasdaq" in line and "receive_time=" in line for line in headers), path)

    def test_the_example_consumer_prints_the_trades(self):
        topic = self.exact({})
        done = subprocess.run([harness.TOOLS / "print-trades", "--bootstrap", self.kafka.servers, "--topic", topic,
                               "--from-beginning", "--max", "20"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 20, done.stdout)

    def kcat(self, topic, form):
        return subprocess.run(["kcat", "-C", "-b", self.kafka.servers, "-t", topic, "-e", "-q", "-f", form],
                              capture_output=True, text=True, timeout=60, check=True).stdout


class Topics(RealBroker):
    def start(self, topic, *arguments, **settings):
        exchange = self.enterContext(Exchange("--file", self.file))
        words = {**self.settings(topic, **settings), **harness.address(exchange)}
        return self.enterContext(Daemon(self.kafka.servers, words, *arguments, "--exit-at-end"))

    def test_a_missing_topic_is_told_with_the_command_that_creates_it(self):
        daemon = self.start("missing")
        self.assertEqual(daemon.wait(30), 69, daemon.errors())
        self.assertRegex(daemon.errors(), r"kafka-topics\.sh .*--create --topic missing .*--partitions")

    def test_a_missing_topic_is_created_when_told_to(self):
        daemon = self.start("created", "--set", "topics.create=true", "--set", "topics.partitions=5", "--set",
                            "topics.replication_factor=1", "--set", "topics.config.message.timestamp.after.max.ms=9223372036854775807")
        self.assertEqual(daemon.wait(30), 0, daemon.errors())
        self.assertTrue(self.verify("created", "--partitions", "5").endswith(harness.EXACT))

    def test_an_unreachable_broker_is_told_within_the_startup_timeout(self):
        with Daemon("127.0.0.1:1", {"startup_timeout": "2s", "feed.default.host": "127.0.0.1",
                                    "feed.default.port": 1}) as daemon:
            self.assertEqual(daemon.wait(20), 69)
            self.assertIn("127.0.0.1:1", daemon.errors())

    def test_a_message_too_large_is_a_dead_letter(self):
        topic = self.topic(1, "max.message.bytes=2000")
        large = pathlib.Path(self.folder.name) / "large.itch"
        small, big = b"Z" + bytes(20), b"Z" + bytes(5000)
        large.write_bytes(b"".join(len(m).to_bytes(2, "big") + m for m in [small, big, small]))
        with Exchange("--file", large) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic, protocol="raw"), "producer.batch.size": 1500,
                                            **harness.address(exchange)}) as daemon:
            feed = daemon.await_feed(lambda f: f["messages_acknowledged"] == 2 and f["messages_dead_lettered"] == 1)
            self.assertEqual(feed["messages_received"], 3)
            daemon.process.terminate()
            self.assertEqual(daemon.wait(20), 0, daemon.errors())
        dead = subprocess.run(["kcat", "-C", "-b", self.kafka.servers, "-t", topic + ".dead", "-e", "-q", "-f", "%h %S\\n"],
                              capture_output=True, text=True, timeout=60).stdout
        self.assertIn("reason=too_large", dead)
        self.assertIn("sequence=2", dead)

    def test_a_record_that_the_broker_refuses_stops_the_feed_with_65(self):
        # The limit is lowered behind the daemon's back, after its look at the topic.
        topic = self.topic(1)
        with Exchange("--file", self.file, "--rate", 2000) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic, trading_date="2020-01-30"),
                                            **harness.address(exchange)}, "--exit-at-end") as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 1000)
            self.alter(topic, "message.timestamp.before.max.ms", "1000")
            self.assertEqual(daemon.wait(30), 65, daemon.errors())
            self.assertIn(topic, daemon.errors())

    def alter(self, topic, name, value):
        python = subprocess.run([harness.ROOT / "tests/check/venv.sh"], capture_output=True, text=True,
                                check=True).stdout.split()[-1]
        code = f'''
from confluent_kafka.admin import AdminClient, ConfigResource
admin = AdminClient({{"bootstrap.servers": "{self.kafka.servers}"}})
for future in admin.alter_configs([ConfigResource("topic", "{topic}", set_config={{"{name}": "{value}"}})]).values():
    future.result(20)
'''
        subprocess.run([python, "-c", code], check=True, timeout=60)


class Running(RealBroker):
    def test_eight_feeds_of_different_shapes_in_one_daemon(self):
        shapes = [("none", "message"), ("zlib", "block"), ("zlib-stream", "message"), ("none", "moldudp64"),
                  ("zlib-auto", "block"), ("zlib-stream", "moldudp64"), ("zlib", "moldudp64"), ("none", "block")]
        exchanges, config = [], ""
        for i, (compression, payload) in enumerate(shapes):
            exchange = self.enterContext(Exchange("--file", self.file, "--compression", compression, "--payload", payload,
                                                  "--seed", i + 1))
            exchanges.append(exchange)
            config += f'''
[feed.f{i}]
hosts = ["{exchange.host}:{exchange.port}"]
topic = "{self.topic()}"
dead_letter_topic = "shared.dead"
compression = "{compression}"
payload = "{payload}"
'''
        with Daemon(self.kafka.servers, {"pipeline.workers": 3, "pipeline.ring_bytes": 1 << 20}, "--exit-at-end",
                    config=config) as daemon:
            self.assertEqual(daemon.wait(90), 0, daemon.errors())
        for i in range(len(shapes)):
            topic = f"m{self.topics - len(shapes) + 1 + i}"
            self.assertTrue(self.verify(topic).endswith(harness.EXACT), f"{shapes[i]} {daemon.errors()}")

    def test_small_reads(self):
        topic = self.topic()
        file = harness.generate(pathlib.Path(self.folder.name) / "small.itch", 120_000)
        with Exchange("--file", file, "--rate", 30_000) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic), **harness.address(exchange)}, "--exit-at-end") as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 100_000)
            print(f"30,000 messages a second in small reads: {cpu_seconds(daemon.pid) / 1e5 * 1e9:.0f} ns CPU a message, "
                  f"{daemon.metric('tickbridge_feed_reads_total'):.0f} reads", flush=True)
            self.assertEqual(daemon.wait(60), 0, daemon.errors())
        self.assertTrue(self.verify(topic, file=file).endswith(harness.EXACT))

    def test_an_idle_daemon_uses_no_measurable_cpu(self):
        """Every thread sleeps: one that spins takes half a core or more, one that polls wakes a thousand times a second."""
        with Exchange("--file", self.file, "--rate", 1) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(self.topic()), **harness.address(exchange)}) as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] >= 1)
            time.sleep(2)  # the clients of the start path are still being closed
            began = harness.threads(daemon.pid)
            time.sleep(5)
            threads = [(name, (cpu - began[thread][1]) / 5, (wakes - began[thread][2]) / 5)
                       for thread, (name, cpu, wakes) in harness.threads(daemon.pid).items() if thread in began]
            print(f"idle: {len(threads)} threads, {sum(cpu for _, cpu, _ in threads) * 100:.2f} % of a core, "
                  f"{sum(wakes for _, _, wakes in threads):.0f} wake-ups a second", flush=True)
            for name, cpu, wakes in threads:
                self.assertLess(cpu, 0.1, f"thread {name} does not sleep: {threads}")
                self.assertLess(wakes, 200, f"thread {name} polls: {threads}")

    def test_http_tells_what_the_contract_says(self):
        with Exchange("--file", self.file, "--fault", "invalid:100", "--rate", 10_000) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(self.topic()), **harness.address(exchange)}) as daemon:
            daemon.await_feed(lambda f: f["state"] == "streaming")
            self.assertEqual(daemon.get("/readyz")[0], 200)
            self.assertEqual(daemon.get("/healthz")[0], 200)
            self.assertEqual(daemon.get("/")[0], 200)
            feed = daemon.await_feed(lambda f: f["state"] == "ended" and f["messages_acknowledged"] == 20_000)
            self.assertEqual(feed["messages_received"],
                             feed["messages_committed"] + feed["messages_dropped"] + feed["messages_dead_lettered"])
            for field in ("session", "next_sequence", "packets_received", "messages_skipped", "gaps", "sequence_repeats",
                          "reconnects", "foreign_writes"):
                self.assertIn(field, feed)
            self.assertEqual(daemon.metric("tickbridge_feed_messages_acknowledged_total", feed="default"), 20_000)
            status = json.loads(daemon.get("/api/status")[1])
            self.assertIn("version", status)
            self.assertIn("uptime_seconds", status)

    def test_sigterm_under_load_hands_over_what_was_read(self):
        topic = self.topic()
        with Exchange("--file", self.file, "--loop", 100) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic), **harness.address(exchange)}) as daemon:
            feed = daemon.await_feed(lambda f: f["messages_acknowledged"] > 10_000)
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(40), 0, daemon.errors())
            self.assertIn("0 not acknowledged", daemon.errors())
        verdict = self.verify(topic, "--loop", 100)
        self.assertRegex(verdict, "duplicated 0 out_of_order 0 altered 0", feed)

    def test_a_stopped_broker_ends_a_stop_with_75(self):
        topic = self.topic()
        with Exchange("--file", self.file, "--loop", 100) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic), "shutdown_timeout": "2s",
                                            **harness.address(exchange)}) as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 10_000)
            self.kafka.run("stop", 1)
            try:
                time.sleep(1)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(20), 75, daemon.errors())
            finally:
                self.kafka.run("cont", 1)

    def test_the_end_is_waited_for_until_all_is_acknowledged_or_a_signal_comes(self):
        for signalled, code in ((False, 0), (True, 75)):
            with self.subTest(signalled=signalled), Exchange("--file", self.file, "--rate", 5000) as exchange:
                daemon = self.enterContext(Daemon(self.kafka.servers, {
                    **self.settings(self.topic()), "shutdown_timeout": "1s", **harness.address(exchange)}, "--exit-at-end"))
                daemon.await_feed(lambda f: f["messages_acknowledged"] > 1000)
                self.kafka.run("stop", 1)
                try:
                    daemon.await_text("all feeds have ended", stream="err")
                    daemon.await_text("still waiting for Kafka's acknowledgements", stream="err")
                    self.assertIsNone(daemon.process.poll())
                    if signalled:
                        daemon.signal(signal.SIGTERM)
                        self.assertEqual(daemon.wait(10), code, daemon.errors())
                finally:
                    self.kafka.run("cont", 1)
                self.assertEqual(daemon.wait(40), code, daemon.errors())
                self.assertNotIn("second signal", daemon.errors())

    def test_a_feed_that_finds_no_room_for_too_long_stops_or_drops_as_told(self):
        for policy, code in (("stop", 75), ("drop", 0)):
            with self.subTest(policy):
                topic = self.topic()
                settings = self.settings(topic, when_full=policy, delivery="at_most_once")
                with Exchange("--file", self.file, "--loop", 30, "--rate", 60_000) as exchange, \
                        Daemon(self.kafka.servers, {**settings, "producer.max.block.ms": 300, "shutdown_timeout": "60s",
                                                    "producer.max_in_flight_messages": 5000,
                                                    **harness.address(exchange)}, "--exit-at-end") as daemon:
                    daemon.await_feed(lambda f: f["messages_acknowledged"] > 10_000)
                    self.kafka.run("stop", 1)
                    try:
                        if policy == "stop":
                            daemon.await_text("when_full = \"stop\"", stream="err")
                        else:
                            daemon.await_feed(lambda f: f["messages_dropped"] > 0)
                    finally:
                        self.kafka.run("cont", 1)
                    self.assertEqual(daemon.wait(90), code, daemon.errors())

    def test_the_limit_counts_behind_the_end_of_the_session_too(self):
        settings = self.settings(self.topic(), when_full="stop", delivery="at_least_once")
        with Exchange("--file", self.file, "--rate", 20_000) as exchange, \
                Daemon(self.kafka.servers, {**settings, "producer.max.block.ms": 4000, "shutdown_timeout": "60s",
                                            "producer.max_in_flight_messages": 500,
                                            **harness.address(exchange)}, "--exit-at-end") as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 1000)
            self.kafka.run("stop", 1)
            try:
                daemon.await_text("stopping: all feeds have ended", stream="err")
                self.assertNotIn("when_full", daemon.errors())
                daemon.await_text("when_full = \"stop\"", 30, "err")
            finally:
                self.kafka.run("cont", 1)
            self.assertEqual(daemon.wait(90), 75, daemon.errors())

    def test_a_second_signal_exits_at_once(self):
        topic = self.topic()
        with Exchange("--file", self.file, "--loop", 100) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic), **harness.address(exchange)}) as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 10_000)
            self.kafka.run("stop", 1)
            try:
                time.sleep(1)
                daemon.signal(signal.SIGTERM)
                daemon.await_text("stopping", stream="err")
                time.sleep(0.2)
                daemon.signal(signal.SIGTERM)
                self.assertEqual(daemon.wait(5), 75, daemon.errors())
            finally:
                self.kafka.run("cont", 1)

    def test_sighup_takes_over_the_log_level_and_names_what_needs_a_restart(self):
        with Exchange("--file", self.file) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(self.topic()), **harness.address(exchange)},
                       config="[log]\nlevel = \"info\"\n") as daemon:
            daemon.await_feed(lambda f: f["state"] == "ended")
            path = pathlib.Path(daemon.folder.name) / "tickbridge.toml"
            path.write_text("[log]\nlevel = \"debug\"\n[pipeline]\nworkers = 7\n")
            daemon.signal(signal.SIGHUP)
            daemon.await_text("log.level is debug", stream="err")
            self.assertIn("pipeline.workers has changed and needs a restart", daemon.errors())
            path.write_text("broken = [")
            daemon.signal(signal.SIGHUP)
            daemon.await_text("stays as it is", stream="err")
            self.assertIsNone(daemon.process.poll())


    def test_a_broker_killed_and_started_again_loses_and_moves_nothing(self):
        topic = self.topic()
        with Exchange("--file", self.file, "--loop", 20, "--rate", 60_000) as exchange, \
                Daemon(self.kafka.servers, {**self.settings(topic), **harness.address(exchange)}, "--exit-at-end") as daemon:
            daemon.await_feed(lambda f: f["messages_acknowledged"] > 50_000)
            self.kafka.run("kill", 1)
            time.sleep(1)
            self.kafka.run("start", 1)
            self.assertEqual(daemon.wait(90), 0, daemon.errors())
        verdict = self.verify(topic, "--loop", 20)
        self.assertTrue(verdict.endswith(harness.EXACT), f"{verdict}\n{daemon.errors()}")




if __name__ == "__main__":
    unittest.main(verbosity=2)
