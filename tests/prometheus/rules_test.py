#!/usr/bin/env python3
"""The files under config/prometheus and config/grafana, as far as no program has to run for it; `promtool` does the rest. That the
queries find something, and that the alerts fire, is tests/integration's."""
import collections
import json
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "config/prometheus/tickbridge.rules.yml"
CASES = ROOT / "tests/prometheus/alerts_test.yml"
METRIC = re.compile(r"\b(?:tickbridge|process)_\w+")
UNITS = {"short", "s", "bytes", "Bps", "cps", "pps", "reqps", "percentunit", "bool_yes_no"}  # of Grafana's


def promtool(*words) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> dict:
    """Name: the rule's text."""
    parts = re.split(r"\n +- alert: (\w+)\n", RULES.read_text())
    return dict(zip(parts[1::2], parts[2::2]))


def metrics() -> set:
    """All that a daemon exposes, by its table."""
    names = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.M):
        names |= {name + end for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
    return names


def recorded() -> set:
    return set(re.findall(r"- record: (\S+)", RULES.read_text()))


def sections() -> dict:
    """Of docs/alerts.md: anchor, text."""
    parts = re.split(r"^### (\w+)$", (ROOT / "docs/alerts.md").read_text(), flags=re.M)
    return {name.lower(): text for name, text in zip(parts[1::2], parts[2::2])}


class Rules(unittest.TestCase):
    def test_promtool_is_content(self):
        promtool("check", "rules", RULES)
        promtool("check", "config", ROOT / "config/prometheus/scrape.yml")

    def test_every_alert_fires_where_it_must_and_nowhere_else(self):
        self.assertIn("SUCCESS", promtool("test", "rules", CASES))

    def test_every_alert_has_cases_of_both_kinds(self):
        found = re.findall(r'ALERTS\{alertname="(\w+)".*exp_samples: (\[.*\])', CASES.read_text())
        self.assertEqual({name for name, samples in found if samples != "[]"}, set(alerts()))
        self.assertEqual({name for name, samples in found if samples == "[]"}, set(alerts()))

    def test_every_alert_says_what_it_is_and_where_to_read_on(self):
        for name, text in alerts().items():
            with self.subTest(name):
                self.assertRegex(name, "^Tickbridge[A-Z]")
                self.assertRegex(text, "severity: (critical|warning)\n")
                self.assertRegex(text, 'summary: "[^"]{20,}"\n')
                self.assertRegex(text, r'description: ".{60,}"' + "\n")
                self.assertIn(f"runbook: docs/alerts.md#{name.lower()}\n", text)

    def test_the_page_has_every_alert_and_no_other(self):
        self.assertEqual(set(sections()), {name.lower() for name in alerts()})
        for name, text in sections().items():
            with self.subTest(name):
                for part in ("**Means**", "**Causes**", "**Look at**", "**Do**"):
                    self.assertIn(part, text)

    def test_it_asks_for_metrics_that_there_are(self):
        text = re.sub(r"(?m)^\s*#.*|alertname.*", "", RULES.read_text()) + (ROOT / "docs/alerts.md").read_text()
        named = {n for n in METRIC.findall(text) if n not in {r.split(":")[1] for r in recorded()}}
        self.assertLessEqual(named, metrics())

    def test_every_metric_of_the_table_is_counted_somewhere(self):
        table = (ROOT / "src/metrics/table.h").read_text()
        sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cc") if path.parent.name != "metrics")
        named = re.findall(r"^  X\((k\w+), ", table, re.M)
        self.assertGreater(len(named), 50)
        self.assertEqual([name for name in named if not re.search(rf"(?:Counter|Gauge)::{name}\b", sources)], [])


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = (ROOT / "config/grafana/tickbridge.json").read_text()
        cls.board = json.loads(cls.text)
        cls.panels = cls.board["panels"]

    def test_it_is_what_the_program_writes(self):
        written = subprocess.run([ROOT / "tools/dashboard"], capture_output=True, text=True, check=True).stdout
        self.assertTrue(written == self.text, "config/grafana/tickbridge.json is old: run tools/dashboard write")

    def test_it_has_what_grafana_asks_for(self):
        self.assertGreaterEqual(self.board["schemaVersion"], 36)
        self.assertIsNone(self.board["id"])
        self.assertEqual([v["name"] for v in self.board["templating"]["list"]], ["datasource", "job", "instance", "feed"])
        ids = [panel["id"] for panel in self.panels]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in self.panels:
            with self.subTest(panel["title"]):
                self.assertIn(panel["type"], {"row", "timeseries", "stat", "heatmap", "state-timeline"})
                if panel["type"] == "row":
                    continue
                self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"})
                self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS)
                refs = [target["refId"] for target in panel["targets"]]
                self.assertTrue(refs and len(refs) == len(set(refs)))
                self.assertTrue(panel["description"])
                self.assertEqual(panel["type"] == "heatmap", panel["targets"][0].get("format") == "heatmap")

    def test_no_panel_covers_another(self):
        taken = collections.Counter()
        for panel in self.panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            taken.update((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
        self.assertEqual([cell for cell, times in taken.items() if times > 1], [])

    def test_it_asks_for_metrics_that_there_are_and_lets_people_choose(self):
        for panel in self.panels:
            for target in panel.get("targets", []):
                with self.subTest(f'{panel["title"]}: {target["expr"]}'):
                    self.assertLessEqual(set(METRIC.findall(target["expr"])), metrics())
                    self.assertEqual(re.findall(r"\$(?!job|instance|feed|__rate_interval|__range)\w+", target["expr"]), [])
                    for selector in re.findall(r"\w\{([^}]*)\}", target["expr"]):
                        self.assertIn('instance=~"$instance"', selector)


if __name__ == "__main__":
    unittest.main(verbosity=2)
