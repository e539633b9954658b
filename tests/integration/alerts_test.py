#!/usr/bin/env python3
"""Alerts, for real: a Prometheus with config/prometheus' rules (their minutes turned into seconds) scrapes daemons to which what the
alerts are for happens, all at the same time. Each fires, and goes away when the cause does.

Not made true here: TickbridgeDoubles (a late request of a dead daemon: tests/fault) and TickbridgeCheckpointsStalled (a checkpoint topic
that takes nothing while the data topic does); tests/prometheus/alerts_test.yml has both with made-up series."""
import contextlib
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import harness
from harness import Daemon, EmbeddedBroker, Exchange
from prometheus import Prometheus, free_port, scaled

RULES = (harness.ROOT / "config/prometheus/tickbridge.rules.yml").read_text()
SECONDS = {"tickbridge_uptime_seconds < 600": "tickbridge_uptime_seconds < 10", "_timestamp_seconds > 60": "_timestamp_seconds > 4",
           "acknowledgement_wait_seconds > 30": "acknowledgement_wait_seconds > 3",
           # an error every 40 s does not come faster here: those that come at once have to do
           "(tickbridge_producer_errors_total[5m])) > 5": "(tickbridge_producer_errors_total[30s])) > 1"}
# What happens on a counter and at no other time, however slow the machine: fires where it must, and nowhere else.
COUNTED = {"TickbridgeGap", "TickbridgeForeignWriter", "TickbridgeDoubles", "TickbridgeDeadLetters", "TickbridgeDeadLettersRising",
           "TickbridgeUnknownMessages", "TickbridgeMessagesDropped", "TickbridgeProtocolErrors", "TickbridgeLoginsRejected",
           "TickbridgeFeedFailed"}
FAULTS = {  # instance: the exchange's faults, and the counted alerts that they bring
    "gap": (["skip:100@2000"], {"TickbridgeGap"}),
    "silent": (["stall:12@2000"], set()),
    "spoilt": (["invalid:50"], {"TickbridgeDeadLetters", "TickbridgeDeadLettersRising", "TickbridgeUnknownMessages"}),
    "cut": (["cut:200", "bad-length@1500"], {"TickbridgeProtocolErrors"}),
    "refused": (["reject:S:25"], {"TickbridgeLoginsRejected"}),
}
FEED = """
[feed.{name}]
hosts = ["{host}:{port}"]
topic = "{topic}"
dead_letter_topic = "{topic}.dead"
reconnect_max = "300ms"
{more}
"""
REST = """
[pipeline]
workers = 1
ring_bytes = {ring}
[checkpoint]
topic = "{name}.checkpoints"
"""


def feed(exchange, topic: str, name: str = "default", more: str = "") -> str:
    return FEED.format(name=name, host=exchange.host, port=exchange.port, topic=topic, more=more)


def with_unknown_types(path: pathlib.Path) -> pathlib.Path:
    """A file of messages, every hundredth of a type that nobody knows."""
    data, out, at, count = path.read_bytes(), bytearray(), 0, 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        out += data[at:at + 2 + size]
        at, count = at + 2 + size, count + 1
        if count % 100 == 0:
            out += (20).to_bytes(2, "big") + b"~" + bytes(19)
    path.write_bytes(bytes(out))
    return path


class World:
    """Everything that runs, each under its instance's name."""

    def __init__(self, stack: contextlib.ExitStack, folder: pathlib.Path):
        self.stack, self.folder = stack, folder
        self.exchanges, self.daemons, self.addresses = {}, {}, {}
        topics = [name for name in (*FAULTS, "away", "restarts", "strangers", "beside")]
        self.shared = self.broker(*topics)
        self.stalls, self.down = self.broker("stalled", "drops"), self.broker("alone")
        file = with_unknown_types(harness.generate(folder / "unknown.itch", 30_000))
        for name, (faults, _) in FAULTS.items():
            source = ["--file", file] if name == "spoilt" else ["--generate", 60_000]
            self.serve(name, *source, "--rate", 1_000, *(word for fault in faults for word in ("--fault", fault)))
            self.exchanges[name].signal(signal.SIGSTOP)  # until all are scraped: the kernel takes connections, nobody answers
            self.start(name, self.shared)
        for name in ("away", "strangers", "beside", "restarts", "alone"):
            self.serve(name, "--generate", 120_000, "--rate", 500)
        for name in ("stalled", "drops"):
            self.serve(name, "--generate", 100_000, "--loop", 40, "--rate", 8_000)
        self.start("away", self.shared)
        self.start("strangers", self.shared, feed(self.exchanges["strangers"], "strangers") + feed(self.exchanges["beside"], "beside", "beside"))
        self.start("restarts", self.shared, listen=f"127.0.0.1:{free_port()}")
        self.start("alone", self.down)
        self.start("stalled", self.stalls, feed(self.exchanges["stalled"], "stalled") +
                   feed(self.exchanges["drops"], "drops", "drops", 'delivery = "at_most_once"\nwhen_full = "drop"'),
                   **{"producer.max.block.ms": 500, "producer.max_in_flight_messages": 2000, "producer.linger.ms": 1})

    def broker(self, *topics):
        return self.stack.enter_context(EmbeddedBroker({name + end: count for name in topics for end, count in (("", 3), (".dead", 1))}))

    def serve(self, name: str, *words):
        self.exchanges[name] = self.stack.enter_context(Exchange(*words))

    def start(self, name: str, broker, config: str = "", listen: str = "127.0.0.1:0", **settings):
        config = config or feed(self.exchanges[name], name)
        self.daemons[name] = self.stack.enter_context(Daemon(broker.servers, {"http.listen": listen, **settings},
                                                             config=config + REST.format(name=name, ring=1 << 20)))
        self.addresses[name] = self.daemons[name].url()

    def acknowledged(self, name: str, feed_name: str = "default"):
        self.daemons[name].await_feed(lambda one: one["messages_acknowledged"] > 0, 60, feed_name)


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="tickbridge-alerts-"))
        stack = cls.enterClassContext(contextlib.ExitStack())
        cls.world = world = World(stack, pathlib.Path(cls.folder))
        for name, feed_name in (("away", "default"), ("restarts", "default"), ("alone", "default"), ("strangers", "default"),
                                ("strangers", "beside"), ("stalled", "default"), ("stalled", "drops")):
            world.acknowledged(name, feed_name)
        cls.prometheus = cls.enterClassContext(Prometheus(scaled(RULES, SECONDS)))
        for name, address in world.addresses.items():
            cls.prometheus.watch(name, address)
        cls.prometheus.await_query(f"count(count_over_time(tickbridge_uptime_seconds[1m]) > 2) == {len(world.addresses)}", 60)
        cls.make_them_happen()

    @classmethod
    def make_them_happen(cls):
        world = cls.world
        for name in FAULTS:
            world.exchanges[name].signal(signal.SIGCONT)
        world.exchanges["away"].process.kill()
        world.daemons["restarts"].process.kill()
        world.stalls.signal(signal.SIGSTOP)
        world.down.tell("down 1")
        subprocess.run(["kcat", "-P", "-b", world.shared.servers, "-t", "strangers", "-p", "0"], input=b"not ours\n" * 3, check=True, timeout=60)

    def fires(self, instance: str, *names: str):
        """At this moment, or before."""
        for name in names:
            self.prometheus.await_query(f'max_over_time(ALERTS{{alertname="{name}",instance="{instance}",alertstate="firing"}}[10m])', 60)

    def goes_away(self, instance: str, *names: str):
        deadline = time.monotonic() + 60 * harness.SLOW
        while left := set(names) & set(self.prometheus.firing(instance)):
            self.assertLess(time.monotonic(), deadline, left)
            time.sleep(0.2)

    def counted(self, instance: str) -> set:
        found = self.prometheus.query(f'count by (alertname) (max_over_time(ALERTS{{instance="{instance}",alertstate="firing"}}[10m]))')
        return {labels["alertname"] for labels, _ in found} & COUNTED

    def test_what_an_exchange_does(self):
        self.fires("gap", "TickbridgeGap")
        self.fires("silent", "TickbridgeFeedSilent")
        self.fires("spoilt", "TickbridgeDeadLetters", "TickbridgeDeadLettersRising", "TickbridgeUnknownMessages")
        self.fires("cut", "TickbridgeReconnecting", "TickbridgeProtocolErrors")
        self.fires("refused", "TickbridgeLoginsRejected", "TickbridgeNotReady")
        self.goes_away("gap", "TickbridgeGap")
        self.goes_away("silent", "TickbridgeFeedSilent", "TickbridgeNotReady")
        self.goes_away("refused", "TickbridgeLoginsRejected", "TickbridgeNotReady")
        for name, (_, expected) in FAULTS.items():
            with self.subTest(name):
                self.assertEqual(self.counted(name), expected)

    def test_an_exchange_that_is_away(self):
        self.fires("away", "TickbridgeNotReady")
        gone = self.world.exchanges["away"]
        self.world.serve("away", "--generate", 120_000, "--rate", 500, "--port", gone.port)
        self.goes_away("away", "TickbridgeNotReady")
        self.assertEqual(self.counted("away"), set())

    def test_a_stranger_writes_into_the_topic(self):
        self.fires("strangers", "TickbridgeForeignWriter", "TickbridgeFeedFailed", "TickbridgeNotReady")
        self.assertEqual(self.world.daemons["strangers"].feed("beside")["state"], "streaming")
        self.goes_away("strangers", "TickbridgeForeignWriter")
        self.assertEqual(self.counted("strangers"), {"TickbridgeForeignWriter", "TickbridgeFeedFailed"})

    def test_a_broker_that_stands_still_and_one_that_is_slow(self):
        broker = self.world.stalls
        self.fires("stalled", "TickbridgeAcknowledgementsStalled", "TickbridgeBufferNearFull", "TickbridgeRingNearFull",
                   "TickbridgeMessagesDropped")
        silent = self.prometheus.query('time() - tickbridge_feed_last_packet_timestamp_seconds{instance="stalled",feed="default"}')
        self.assertGreater(silent[0][1], 4)  # the reads have stopped: that is not the exchange's silence
        self.assertNotIn("TickbridgeFeedSilent", {one["labels"]["alertname"] for one in self.prometheus.ask("alerts")["alerts"]
                                                  if one["labels"].get("instance") == "stalled"})
        broker.signal(signal.SIGCONT)
        self.goes_away("stalled", "TickbridgeAcknowledgementsStalled", "TickbridgeMessagesDropped")
        broker.tell("rtt 1 2000")
        self.fires("stalled", "TickbridgeLatencyHigh")
        broker.tell("rtt 1 0")
        self.goes_away("stalled", "TickbridgeLatencyHigh", "TickbridgeBufferNearFull", "TickbridgeRingNearFull")
        for name in ("stalled", "drops"):
            self.world.exchanges[name].end()  # they take much of the machine

    def test_no_broker(self):
        self.fires("alone", "TickbridgeKafkaUnreachable", "TickbridgeNotReady", "TickbridgeBrokerErrors", "TickbridgeAcknowledgementsStalled")
        self.world.down.tell("up 1")
        self.goes_away("alone", "TickbridgeKafkaUnreachable", "TickbridgeNotReady", "TickbridgeAcknowledgementsStalled")
        self.goes_away("alone", "TickbridgeBrokerErrors")
        self.assertEqual(self.counted("alone"), set())

    def test_a_daemon_that_dies_and_dies_again(self):
        self.fires("restarts", "TickbridgeDown")
        listen = self.world.addresses["restarts"].removeprefix("http://")
        for _ in range(12):  # a start counts that a scrape tells from the one before
            begun = time.time() - 0.1
            self.world.start("restarts", self.world.shared, listen=listen)
            self.prometheus.await_query(f'tickbridge_uptime_seconds{{instance="restarts"}} > 1.2 and process_start_time_seconds > {begun}')
            if "TickbridgeRestarting" in self.prometheus.firing("restarts"):
                break
            self.world.daemons["restarts"].process.kill()
            self.world.daemons["restarts"].process.wait()
        self.fires("restarts", "TickbridgeRestarting")
        self.goes_away("restarts", "TickbridgeDown", "TickbridgeRestarting")
        self.assertEqual(self.counted("restarts"), set())

    def test_nobody_is_scraped(self):
        with Prometheus(scaled(RULES, SECONDS)) as alone:
            alone.await_query('ALERTS{alertname="TickbridgeAbsent",alertstate="firing"}', 60)

    def test_every_rule_is_evaluated_and_every_alert_can_be_read(self):
        rules = [rule for group in self.prometheus.ask("rules")["groups"] for rule in group["rules"]]
        self.assertEqual([(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"], [])
        for alert in self.prometheus.ask("alerts")["alerts"]:
            for name, text in alert["annotations"].items():
                self.assertNotRegex(text, r"<no value>|<error|\{\{|%!", f'{alert["labels"]}: {name}')


if __name__ == "__main__":
    unittest.main(verbosity=2)
