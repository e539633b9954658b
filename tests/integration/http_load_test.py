#!/usr/bin/env python3
"""HTTP under attack while a feed runs: 10,000 requests and hundreds of slow clients cost the feed nothing and break nothing.

Figures are printed, not asserted: docs/security.md has those of a quiet machine. Arguments: --rounds N (4), for longer series.
"""
import json
import pathlib
import statistics
import sys
import tempfile
import time
import unittest

import harness
from harness import Daemon, EmbeddedBroker, Exchange, Program, Verifier

ROUNDS = int(sys.argv.pop(sys.argv.index("--rounds") + 1)) if "--rounds" in sys.argv else 4
REQUESTS, SLOW = 10000, 300
CONNECTIONS = 64  # HttpLimits
PAUSE = 2.0       # a phase without any client


class Attack(Program):
    def __init__(self, daemon: Daemon, requests: int, seed: int = 1):
        super().__init__("attack", [sys.executable, pathlib.Path(__file__).with_name("http_attack.py"), daemon.url(),
                                    "--requests", requests, "--slow", SLOW, "--seed", seed])

    def result(self) -> dict:
        code = self.wait(240)
        assert code == 0, f"{code}\n{self.errors()}"
        return json.loads(self.output().splitlines()[-1])


def files(daemon: Daemon) -> int:
    return len(list(pathlib.Path(f"/proc/{daemon.pid}/fd").iterdir()))


class HttpLoad(unittest.TestCase):
    def check(self, result: dict, requests: int):
        self.assertEqual(result["broken"], {}, result)
        self.assertEqual(sum(result["answered"].values()), requests, result)
        self.assertLessEqual(set(result["answered"]), {"200", "404", "503"}, result)
        self.assertGreaterEqual(result["slow"], SLOW, result)

    def test_a_feed_goes_on_and_stays_exact(self):
        with tempfile.TemporaryDirectory() as folder:
            file = harness.generate(pathlib.Path(folder) / "s.itch", 1_000_000)
            with EmbeddedBroker({"ticks": 24, "ticks.dead": 1}) as broker, \
                    Exchange("--file", file, "--rate", 100_000) as exchange, \
                    Verifier(file, broker.servers, "ticks", "--timeout", 120) as verifier, \
                    Daemon(broker.servers, harness.address(exchange)) as daemon:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 0)
                before, most_files, most_threads = files(daemon), 0, len(harness.threads(daemon.pid))
                with Attack(daemon, REQUESTS, harness.SEED) as attack:
                    while attack.process.poll() is None:
                        most_files = max(most_files, files(daemon))
                        most_threads = max(most_threads, len(harness.threads(daemon.pid)))
                        time.sleep(0.02)
                    result = attack.result()
                self.check(result, REQUESTS)
                verdict = verifier.verdict(240)
                feed = daemon.feed()
                self.assertTrue(verdict.endswith(harness.EXACT), f"{verdict}\n{daemon.errors()}")
                self.assertEqual((feed["reconnects"], feed["gaps"]), (0, 0), feed)
                self.assertEqual(daemon.metric("tickbridge_feed_read_stops_total"), 0, "the feed was held up")
                self.assertLessEqual(most_files, before + CONNECTIONS + 8)
                self.assertLessEqual(most_threads, len(harness.threads(daemon.pid)) + 2)
                self.assertLessEqual(daemon.metric("tickbridge_http_connections"), CONNECTIONS + 1)
                self.assertGreater(daemon.metric("tickbridge_http_connections_evicted_total"), 0, "nobody had to make room")
                print(f"\n{result}\nfiles {before}, at most {most_files}; latency {json.dumps(feed.get('latency'))}", flush=True)
                daemon.process.terminate()
                self.assertEqual(daemon.wait(30), 0, daemon.errors())

    def test_what_it_costs_a_feed_at_full_rate(self):
        """Phases in turn: nobody asks; as many ask another daemon on the same machine, which has no feed, so that the
        clients' own work and the HTTP thread's press on the processors just the same; they ask this one."""
        with tempfile.TemporaryDirectory() as folder, EmbeddedBroker({"ticks": 12, "ticks.dead": 1}) as broker, \
                EmbeddedBroker({"ticks": 12}) as other_broker:
            file = harness.generate(pathlib.Path(folder) / "s.itch", 200_000)
            with Exchange("--file", file, "--loop", 5000, "--encode-first") as exchange, \
                    Daemon(broker.servers, harness.address(exchange)) as daemon, \
                    Daemon(other_broker.servers, {"feed.default.port": 1, "startup_timeout": "10m"}) as idle:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 500_000)
                costs = {"nobody": [], "elsewhere": [], "here": []}
                for number in range(ROUNDS):
                    for phase, found in costs.items():
                        found.append(self.phase(daemon, {"elsewhere": idle, "here": daemon}.get(phase), number))
                feed = daemon.feed()
                self.assertEqual((feed["reconnects"], feed["gaps"], feed["messages_dead_lettered"]), (0, 0, 0), feed)
                self.tell(costs)
                daemon.process.terminate()
                self.assertEqual(daemon.wait(60), 0, daemon.errors())

    def phase(self, daemon: Daemon, asked: Daemon | None, seed: int) -> tuple[float, float]:
        """Nanoseconds of the threads other than "http" for a message, and messages a second."""
        began, sent, before = time.monotonic(), daemon.feed()["messages_acknowledged"], harness.threads(daemon.pid)
        if asked is None:
            time.sleep(PAUSE)
        else:
            with Attack(asked, REQUESTS // ROUNDS, seed) as attack:
                self.check(attack.result(), REQUESTS // ROUNDS)
        after, got = harness.threads(daemon.pid), daemon.feed()["messages_acknowledged"] - sent
        self.assertGreater(got, 0, "the feed stood still")
        used = sum(cpu - (before[task][1] if task in before else 0) for task, (name, cpu, _) in after.items() if name != "http")
        return used / got * 1e9, got / (time.monotonic() - began)

    @staticmethod
    def tell(costs: dict):
        print()
        for phase, found in costs.items():
            print(f"{phase:10} {statistics.median(ns for ns, _ in found):7.1f} ns a message outside the HTTP thread, "
                  f"{statistics.median(rate for _, rate in found):12,.0f} messages/s")
        for base in ("elsewhere", "nobody"):
            ratios = [here[0] / there[0] for here, there in zip(costs["here"], costs[base])]
            print(f"here / {base}: {statistics.median(ratios):.3f} [{min(ratios):.3f} to {max(ratios):.3f}]", flush=True)


if __name__ == "__main__":
    if "--rounds" in sys.argv:
        sys.argv.remove("--rounds")
    unittest.main(verbosity=2)
