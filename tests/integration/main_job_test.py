#!/usr/bin/env python3
"""The main job at size, into a real broker: 2,000,000 messages, 8,000 instruments, 12 partitions, verified twice.

Usage: main_job_test.py [MESSAGES]
"""
import pathlib
import subprocess
import sys
import tempfile
import time

import harness
from harness import ROOT, Daemon, Exchange, Kafka, Verifier


def cpu_seconds(pid: int) -> float:
    """By the process's own clock (clock_getcpuclockid): /proc counts in ticks of 10 ms, too coarse for an idle daemon."""
    return time.clock_gettime((~pid << 3) | 2)


def messages_in(file) -> int:
    data, at, n = pathlib.Path(file).read_bytes(), 0, 0
    while at + 2 <= len(data) and at + 2 + int.from_bytes(data[at:at + 2], "big") <= len(data):
        at, n = at + 2 + int.from_bytes(data[at:at + 2], "big"), n + 1
    return n


def independent(file, servers: str, topic: str) -> str:
    """The check that shares no code with daemon or verifier."""
    python = subprocess.run([ROOT / "tests/check/venv.sh"], capture_output=True, text=True, check=True).stdout.split()[-1]
    done = subprocess.run([python, ROOT / "tests/check/independent_check.py", "topic", "--file", file, "--bootstrap", servers,
                           "--topic", topic], capture_output=True, text=True, timeout=300)
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr


def run(kafka, file, topic: str, partitions: int, settings=None) -> bool:
    kafka.topic(topic, partitions)
    settings = {"feed.default.topic": topic, "feed.default.dead_letter_topic": topic + ".dead", **(settings or {})}
    with Exchange("--file", file, "--encode-first") as exchange, \
            Daemon(kafka.servers, {**settings, **harness.address(exchange)}) as daemon:
        began, expected = time.monotonic(), messages_in(file)
        feed = daemon.await_feed(lambda f: f["messages_acknowledged"] == expected, seconds=120)
        wall, cpu, n = time.monotonic() - began, cpu_seconds(daemon.pid), feed["messages_acknowledged"]
        print(f"{topic}: {n} messages, {n / wall:,.0f} a second, {cpu / n * 1e9:.0f} ns CPU a message "
              f"(start and broker's warm-up included)", flush=True)
        daemon.process.terminate()
        code = daemon.wait(30)
    with Verifier(file, kafka.servers, topic, *(["--timestamps", "--trading-date", "2020-01-30", "--time-zone",
                                                 "America/New_York"] if "trading_date" in str(settings) else []),
                  follow=False) as verifier:
        verdict = verifier.verdict(120)
    second = independent(file, kafka.servers, topic)
    print(verdict, second, sep="\n", flush=True)
    good = code == 0 and verdict.endswith(harness.EXACT) and verifier.process.returncode == 0 and second.endswith(harness.EXACT)
    if not good:
        print("WRONG", code, verifier.output(), verifier.errors(), daemon.errors(), sep="\n")
    return good


def main() -> int:
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    with tempfile.TemporaryDirectory() as folder, Kafka(1) as kafka:
        file = harness.generate(pathlib.Path(folder) / "s.itch", messages)
        good = run(kafka, file, "ticks", 12)
        real = harness.real_data("nasdaq-20200130-start-of-day.itch")
        if real:
            good &= run(kafka, real, "real", 7, {"feed.default.trading_date": "2020-01-30"})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
