#!/usr/bin/env python3
"""A broker that stops (SIGSTOP) for 20 s under load: its feed waits, another feed goes on, nothing is lost or moved."""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import harness
from harness import Daemon, Exchange, Kafka, Verifier
from main_job_test import cpu_seconds

SECONDS = 20
RATE = 40_000
BUFFER, RING = 4 << 20, 1 << 20
PROGRAM = 60 << 20  # code, libraries, tasks, the library's own


def leader(servers: str, topic: str) -> int:
    text = subprocess.run(["kcat", "-L", "-b", servers, "-t", topic], capture_output=True, text=True, timeout=30).stdout
    return int(re.search(r"leader (\d+)", text)[1])


def topics_on_two_brokers(kafka) -> dict:
    """{broker: topic}, for two brokers."""
    found = {}
    for i in range(20):
        kafka.topic(f"t{i}", 1)
        found.setdefault(leader(kafka.servers, f"t{i}"), f"t{i}")
        if len(found) == 2:
            return found
    raise AssertionError(f"all topics lie on one broker: {found}")


def resident(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def config(exchanges: dict, topics: dict) -> str:
    feeds = "".join(f'''
[feed.{name}]
hosts = ["{exchange.host}:{exchange.port}"]
topic = "{topics[name]}"
dead_letter_topic = "{topics[name]}.dead"
''' for name, exchange in exchanges.items())
    return f'''{feeds}
[producer]
"buffer.memory" = {BUFFER}
[pipeline]
ring_bytes = {RING}
'''


class Watch:
    """What the daemon does while a broker stands still."""

    def __init__(self, daemon):
        self.daemon, self.peak = daemon, 0
        began, cpu = time.monotonic(), cpu_seconds(daemon.pid)
        time.sleep(2)
        self.cores_before = (cpu_seconds(daemon.pid) - cpu) / (time.monotonic() - began)

    def run(self, seconds: float):
        self.began, self.cpu = time.monotonic(), cpu_seconds(self.daemon.pid)
        self.before = self.daemon.status()["feeds"]
        while time.monotonic() - self.began < seconds:
            self.peak = max(self.peak, resident(self.daemon.pid))
            time.sleep(0.2)

    def problems(self) -> list:
        after = self.daemon.status()["feeds"]
        gained = {name: after[name]["messages_acknowledged"] - self.before[name]["messages_acknowledged"] for name in after}
        cores = (cpu_seconds(self.daemon.pid) - self.cpu) / (time.monotonic() - self.began)
        stops = self.daemon.metric("tickbridge_feed_read_stops_total", feed="stopped")
        limit = 4 * BUFFER + 2 * RING + PROGRAM
        print(f"while stopped: acknowledged {gained}, {cores:.2f} cores ({self.cores_before:.2f} before), peak {self.peak >> 20} MiB of {limit >> 20}, "
              f"{stops:.0f} read stops", flush=True)
        checks = {"the stopped feed was acknowledged": gained["stopped"] > RATE,  # in flight when it stopped
                  "the other feed stood still": gained["alive"] < RATE * SECONDS / 10,
                  "memory is over its limit": self.peak > limit,
                  "the reader did not stop": stops < 1,
                  "it waits busily": cores > self.cores_before + 0.4}  # a busy wait takes a whole core
        return [what for what, wrong in checks.items() if wrong]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, Kafka(3) as kafka:
        file = harness.generate(pathlib.Path(folder) / "s.itch", 200_000)
        (broker, stopped), (_, alive) = topics_on_two_brokers(kafka).items()
        topics = {"stopped": stopped, "alive": alive}
        loops = RATE * (SECONDS + 10) // 200_000
        flags = ["--file", file, "--loop", loops, "--rate", RATE]
        with Exchange(*flags) as one, Exchange(*flags) as two, \
                Daemon(kafka.servers, {}, "--exit-at-end", config=config({"stopped": one, "alive": two}, topics)) as daemon:
            for name in topics:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] > RATE, 60, name)
            watch = Watch(daemon)
            kafka.run("stop", broker)
            try:
                watch.run(SECONDS)
                wrong = watch.problems()
            finally:
                kafka.run("cont", broker)
            code = daemon.wait(120)
            print(f"the daemon exits {code}")
        for topic in topics.values():
            with Verifier(file, kafka.servers, topic, "--loop", loops, follow=False) as verifier:
                verdict = verifier.verdict(120)
            print(topic, verdict)
            if not verdict.endswith(harness.EXACT):
                wrong.append(f"{topic}: {verdict}\n{verifier.output()}")
        if wrong or code:
            print("WRONG", *wrong, daemon.errors(), sep="\n")
        return 1 if wrong or code else 0


if __name__ == "__main__":
    sys.exit(main())
