#!/usr/bin/env python3
"""Every query of the Grafana dashboard, asked of a real Prometheus that has scraped a daemon at work; and that daemon's page, looked at
by promtool. No Grafana is run: none is packaged. tests/prometheus/rules_test.py looks at the file's structure."""
import json
import math
import subprocess
import unittest

import harness
from harness import Daemon, EmbeddedBroker, Exchange
from prometheus import Prometheus

BOARD = json.loads((harness.ROOT / "config/grafana/tickbridge.json").read_text())
CHOSEN = {"$__rate_interval": "5s", "$__range": "20s", "$job": ".+", "$instance": ".+", "$feed": ".+"}  # as Grafana fills them in for "All"
EMPTY = {'ALERTS{alertname=~"Tickbridge.*",alertstate="firing"}': "nothing fires here"}


def chosen(query: str) -> str:
    for name, value in CHOSEN.items():
        query = query.replace(name, value)
    return query


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = cls.enterClassContext(EmbeddedBroker({"ticks": 3, "ticks.dead": 1}))
        cls.exchange = cls.enterClassContext(Exchange("--generate", 200_000, "--rate", 4_000))
        cls.daemon = cls.enterClassContext(Daemon(cls.broker.servers, harness.address(cls.exchange)))
        cls.prometheus = cls.enterClassContext(Prometheus())
        cls.prometheus.watch("one", cls.daemon.url())
        # at least so many scrapes of a running feed that every rate has two
        cls.prometheus.await_query('count_over_time(tickbridge_feed_messages_acknowledged_total[1m]) > 8 '
                                   'and on (instance) rate(tickbridge_feed_latency_seconds_count{to="acknowledgement"}[5s]) > 0', 60)

    def test_every_panel_shows_something(self):
        asked = 0
        for panel in BOARD["panels"]:
            for target in panel.get("targets", []):
                with self.subTest(f'{panel["title"]}: {target["expr"]}'):
                    found = self.prometheus.query(chosen(target["expr"]))
                    self.assertTrue(found)
                    self.assertTrue(any(math.isfinite(value) for _, value in found), found)
                    asked += 1
        self.assertGreater(asked, 40)

    def test_what_annotations_ask_is_understood(self):
        for note in BOARD["annotations"]["list"]:
            if "expr" in note:
                self.assertEqual(self.prometheus.query(chosen(note["expr"])), [], EMPTY[note["expr"]])

    def test_the_variables_offer_something(self):
        found = {}
        for variable in BOARD["templating"]["list"]:
            if variable["type"] != "query":
                continue
            series, label = chosen(variable["definition"]).removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
            found[label] = self.prometheus.ask(f"label/{label}/values", **{"match[]": series})
        self.assertEqual(found, {"job": ["tickbridge"], "instance": ["one"], "feed": ["default"]})

    def test_figures_are_what_they_say(self):
        def one(query):
            (_, value), = self.prometheus.query(query)
            return value

        self.assertEqual(one('tickbridge_build_info{librdkafka!=""}'), 1)
        self.assertEqual(one("tickbridge_ready"), 1)
        self.assertEqual(one("tickbridge_producer_connected"), 1)
        for metric in ("last_packet", "last_receive"):
            self.assertLess(abs(one(f"time() - tickbridge_feed_{metric}_timestamp_seconds")), 5)
        self.assertGreater(one("tickbridge_feed_in_flight_limit_bytes"), one("tickbridge_feed_in_flight_bytes"))
        streaming = next(panel for panel in BOARD["panels"] if panel["title"] == "State")
        (_, number), = self.prometheus.query(chosen(streaming["targets"][0]["expr"]))
        names = streaming["fieldConfig"]["defaults"]["mappings"][0]["options"]
        self.assertEqual(names[str(int(number))]["text"], "streaming")

    def test_promtool_is_content_with_the_page(self):
        page = self.daemon.get("/metrics")[1]
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
