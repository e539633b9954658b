#!/usr/bin/env python3
"""What does each way of delivering cost, how long until a killed daemon writes again, what is a transaction's share? On a
real Kafka.

    bench/delivery.py [cost] [recovery] [transactions] [--messages N] [--rounds R] [--servers S] [--only NAME]…

cost      runs the ways in turn, round after round, so that a machine whose speed drifts treats them alike, and prints
          medians; ratios to at_least_once are of the same round. CPU is the daemon's own, start and end included.
recovery  writes --before messages, kills the daemon, starts it again, and prints the time from the start of the
          process to the first message of the new life that Kafka has acknowledged.

transactions  looks at a daemon at work for some seconds, for several transaction_intervals. With 1 ms one transaction
          follows the other, so the time of one is what draining, committing and beginning anew take together.

Exactness is not looked at here but by the tests.
"""
import argparse
import math
import os
import pathlib
import re
import signal
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
import harness  # noqa: E402

BASE = "at_least_once"
WAYS = {  # name: the feed's settings
    "at_least_once": {},
    "exactly_once": {},
    "transactional": {},
    "at_most_once": {},
    "at_most_once, fire_and_forget": {"send": "fire_and_forget"},
    "at_least_once, sync": {"send": "sync"},
    "exactly_once, sync": {"send": "sync"},
}
FILE_MESSAGES = 2_000_000  # a longer session repeats the file


def session(folder: str, messages: int) -> tuple[pathlib.Path, int]:
    """The file to serve, and how many times over."""
    loops = max(1, messages // FILE_MESSAGES)
    return harness.generate(pathlib.Path(folder) / f"{messages}.itch", min(messages, FILE_MESSAGES)), loops


class Runs:
    """Each run writes to topics of its own under a name of its own: nothing is left to be recovered from."""

    def __init__(self, servers: str):
        self.servers, self.count = servers, 0

    def settings(self, exchange, name: str) -> dict:
        self.count += 1
        topic = f"bench-{os.getpid()}-{self.count}"
        own = {"topic": topic, "dead_letter_topic": f"{topic}.dead", "delivery": name.split(",")[0], **WAYS[name]}
        return {**harness.address(exchange), "checkpoint.topic": f"{topic}.checkpoints", "topics.create": "true",
                "topics.partitions": "12", "topics.replication_factor": "1",
                **{f"feed.default.{key}": value for key, value in own.items()}}


def complete(exchange, runs: Runs, name: str) -> dict:
    """One session from start to end."""
    settings = runs.settings(exchange, name)
    began = time.monotonic()
    daemon = harness.Daemon(runs.servers, {**settings, "http.listen": ""}, "--exit-at-end")
    _, status, usage = os.wait4(daemon.pid, 0)
    daemon.process.returncode = os.waitstatus_to_exitcode(status)
    assert daemon.process.returncode == 0, f"{name}: exit {daemon.process.returncode}\n{daemon.errors()}"
    acknowledged = int(re.search(r"(\d+) acknowledged", daemon.errors())[1])
    return {"wall": time.monotonic() - began, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024,
            "acknowledged": acknowledged}


def of_median(ratios: list) -> str:
    """Where the median lies with 95 % confidence, whatever their distribution: order statistics, by the binomial law."""
    count, ordered = len(ratios), sorted(ratios)
    below = [sum(math.comb(count, i) for i in range(k + 1)) / 2**count for k in range(count // 2)]
    outside = sum(share <= 0.025 for share in below)
    return f"{ordered[outside - 1]:.3f} to {ordered[-outside]:.3f}" if outside else "too few rounds to say"


def cost(options, runs: Runs):
    names = [name for name in WAYS if not options.only or name in options.only]
    results = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        file, loops = session(folder, options.messages)
        for number in range(options.rounds):
            with harness.Exchange("--file", file, "--loop", loops, "--encode-first") as exchange:
                for name in names if number % 2 == 0 else reversed(names):
                    if number == 0 or "sync" not in name or options.only:  # once will do: they take ten times as long
                        results[name].append(complete(exchange, runs, name))
    print(f"{options.messages:,} messages, 12 partitions, {os.cpu_count()} cores shared with Kafka and the exchange, "
          f"{options.rounds} rounds, load {os.getloadavg()[0]:.1f}")
    print(f"{'':32}{'messages/s':>12}{'CPU ns/message':>16}{'peak MiB':>10}{'CPU ratio':>11}  (its median, 95 %), of the rounds")
    for name, of_way in results.items():
        median = {key: statistics.median(run[key] for run in of_way) for key in of_way[0]}
        count = median["acknowledged"] or options.messages
        ratios = [run["cpu"] / base["cpu"] for run, base in zip(of_way, results.get(BASE, of_way))]
        print(f"{name:32}{count / median['wall']:12,.0f}{median['cpu'] / count * 1e9:16.0f}{median['peak']:10.0f}"
              f"{statistics.median(ratios):11.3f}  ({of_median(ratios)})  {' '.join(f'{ratio:.2f}' for ratio in ratios)}")


def first_record(daemon, since: float) -> float:
    """Seconds until Kafka has acknowledged a message of this life."""
    daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 0, 60)
    return time.monotonic() - since


def recovery(options, runs: Runs):
    print(f"{options.before:,} messages before the kill, {options.kills} kills each; from process start, seconds")
    with tempfile.TemporaryDirectory() as folder:
        file, loops = session(folder, options.before)
        for name in ("exactly_once", "transactional", "at_least_once"):
            if options.only and name not in options.only:
                continue
            with harness.Exchange("--file", file, "--loop", loops * 4, "--encode-first") as exchange:
                recover(options, runs, exchange, name)


def recover(options, runs: Runs, exchange, name: str):
    settings = runs.settings(exchange, name)
    daemon = harness.Daemon(runs.servers, settings)
    daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= options.before, 300)
    for kill in range(options.kills):
        daemon.signal(signal.SIGKILL)
        daemon.wait()
        began = time.monotonic()
        daemon = harness.Daemon(runs.servers, settings)
        took = first_record(daemon, began)
        skipped = daemon.feed()["messages_skipped"]
        owned = re.search(r"owned, epoch (\d+), session \S+, (\d+) ms", daemon.errors())
        fenced = re.search(r"are fenced, \d+ round\(s\), (\d+) ms", daemon.errors())
        behind = re.search(r"(\d+) record\(s\) lie behind the checkpoint", daemon.errors())
        print(f"  {name:16} first record {took:5.2f}  owned {int(owned[2]) / 1000:5.2f}"
              f"{f'  fence {int(fenced[1]) / 1000:5.2f}' if fenced else ''}"
              f"{f'  read back {behind[1]}' if behind else ''}  skipped {skipped}", flush=True)
        time.sleep(1)
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    began = time.monotonic()
    daemon = harness.Daemon(runs.servers, settings)
    print(f"  {name:16} first record {first_record(daemon, began):5.2f}  after a clean stop", flush=True)
    daemon.end()


def transactions(options, runs: Runs):
    print(f"{'transaction_interval':22}{'feed':>12}{'messages/s':>12}{'CPU ns/message':>16}{'commits/s':>11}{'ms between':>12}")
    with tempfile.TemporaryDirectory() as folder:
        file, _ = session(folder, FILE_MESSAGES)
        for rate in ([], ["--rate", 50_000]):
            for interval in ("1ms", "100ms", "1s"):
                with harness.Exchange("--file", file, "--loop", 100, *rate) as exchange:
                    at_work(runs, exchange, interval, "50,000/s" if rate else "unbounded")


def at_work(runs: Runs, exchange, interval: str, feed: str, seconds: float = 4):
    daemon = harness.Daemon(runs.servers, {**runs.settings(exchange, "transactional"), "producer.transaction_interval": interval})
    daemon.await_feed(lambda state: state["messages_acknowledged"] > 50_000, 60)
    time.sleep(1)

    def look():
        used = pathlib.Path(f"/proc/{daemon.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return [time.monotonic(), daemon.feed()["messages_acknowledged"], daemon.metric("tickbridge_feed_checkpoints_total"),
                (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")]

    before = look()
    time.sleep(seconds)
    wall, messages, commits, cpu = (late - early for late, early in zip(look(), before))
    daemon.signal(signal.SIGTERM)
    code = daemon.wait(60)
    print(f"{interval:22}{feed:>12}{messages / wall:12,.0f}{cpu / messages * 1e9:16.0f}{commits / wall:11.1f}"
          f"{wall / commits * 1000:12.1f}{'' if code == 0 else f'  exit {code}'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["cost", "recovery", "transactions", []], default=[])
    parser.add_argument("--messages", type=int, default=4_000_000)
    parser.add_argument("--before", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--servers", help="a Kafka that runs already; else one is started")
    parser.add_argument("--only", action="append", choices=WAYS, help="a way; repeatable")
    options = parser.parse_args()
    kafka = None if options.servers else harness.Kafka(1)
    try:
        runs = Runs(options.servers or kafka.servers)
        if not options.what or "cost" in options.what:
            cost(options, runs)
        if not options.what or "recovery" in options.what:
            recovery(options, runs)
        if not options.what or "transactions" in options.what:
            transactions(options, runs)
    finally:
        if kafka:
            kafka.end()


if __name__ == "__main__":
    main()
