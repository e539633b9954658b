#!/usr/bin/env python3
"""What does a message cost, and how many a second go through? tickbridge beside the program one would write first.

    bench/main_job.py [--messages N] [--rounds R] [--real-kafka]

Alternates the contenders, so that a machine whose speed drifts treats them alike, and prints medians and ratios. CPU is
that of the contender's own process (user and system). Every run's messages are counted in the topic's end offsets, or
acknowledgements; exactness is proved by the tests.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
import harness  # noqa: E402

BIN = harness.BIN


def run(words) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds, peak memory in MiB."""
    began = time.monotonic()
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{words[0]} exits {process.returncode}"
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def contenders(exchange, servers: str) -> dict:
    # Every run does the whole work: without --start the next one goes on behind the checkpoint of the last.
    daemon = [BIN / "tickbridge", "--host", exchange.host, "--port", exchange.port, "--start", "beginning", "--exit-at-end", "--set",
              f"producer.bootstrap.servers={servers}", "--set", "http.listen="]
    return {
        "straightforward": [BIN / "straightforward", exchange.host, exchange.port, servers, "ticks"],
        "tickbridge, exchange time": daemon,
        "tickbridge, send time": [*daemon, "--set", "feed.default.timestamp=send"],
    }


def measure(options, file, broker) -> dict:
    results = {}
    loops = max(1, options.messages // 2_000_000)
    for _ in range(options.rounds):
        with harness.Exchange("--file", file, "--loop", loops, "--encode-first") as exchange:
            for name, words in contenders(exchange, broker.servers).items():
                results.setdefault(name, []).append(run(words))
    return results


def table(results: dict, messages: int):
    print(f"{'':28}{'messages/s':>12}{'CPU ns/message':>16}{'peak MiB':>10}{'CPU ratio':>11}")
    base = statistics.median(r[1] for r in results["straightforward"])
    for name, runs in results.items():
        wall, cpu, memory = (statistics.median(r[i] for r in runs) for i in range(3))
        print(f"{name:28}{messages / wall:12,.0f}{cpu / messages * 1e9:16.0f}{memory:10.0f}{cpu / base:11.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--real-kafka", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = harness.generate(pathlib.Path(folder) / "s.itch", min(options.messages, 2_000_000))
        messages = min(options.messages, 2_000_000) * max(1, options.messages // 2_000_000)
        if options.real_kafka:
            broker = harness.Kafka(1)
            broker.topic("ticks", 12)
        else:
            broker = harness.EmbeddedBroker({"ticks": 12, "ticks.dead": 1})
        with broker:
            print(f"{messages:,} messages, 12 partitions, {os.cpu_count()} cores, "
                  f"{'real Kafka on the same cores' if options.real_kafka else 'embedded broker'}, median of {options.rounds}")
            table(measure(options, file, broker), messages)


if __name__ == "__main__":
    main()
