#!/usr/bin/env python3
"""What does a daemon take that has nothing to do? One feed, logged in, heartbeats both ways, no messages; each thread's CPU by
/proc/PID/task/*/schedstat, whose clock is finer than the kernel's ticks.

    bench/idle.py [--brokers embedded,kafka1] [--seconds 25]

Run ./try and tools/kafka prepare once before."""
import argparse
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "compare"))

import session as work  # noqa: E402
from world import Broker, harness  # noqa: E402

STARTED = 6  # seconds: the clients of the start path are closed by then


def cpu(pid: int) -> dict:
    """{thread: (its name, nanoseconds)}"""
    return {task.name: ((task / "comm").read_text().strip(), int((task / "schedstat").read_text().split()[0]))
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def look(broker: str, seconds: float):
    with tempfile.TemporaryDirectory() as folder, Broker(broker) as kafka:
        session = work.make(pathlib.Path(folder), 2_000, 1, lines=False)
        topic = kafka.topics(1, 12, ())[0]
        with harness.Exchange("--file", session.itch, "--pace", "0.000001") as exchange:
            words = {"feed.default.topic": topic, "feed.default.dead_letter_topic": topic + ".dead", "checkpoint.topic": topic + ".cp",
                     **harness.address(exchange)}
            with harness.Daemon(kafka.servers, words) as daemon:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= 1)
                time.sleep(STARTED)
                before, began = cpu(daemon.pid), time.monotonic()
                time.sleep(seconds)
                after, passed = cpu(daemon.pid), (time.monotonic() - began) * 1e9
                taken = [((ns - before[thread][1]) / passed, name) for thread, (name, ns) in after.items() if thread in before]
    for share, name in sorted(taken, reverse=True)[:6]:
        print(f"  {name:16} {share:.3%}")
    print(f"{broker}: {sum(share for share, _ in taken):.2%} of one core, {len(taken)} threads", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/idle.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", default="embedded,kafka1")
    parser.add_argument("--seconds", type=float, default=25)
    options = parser.parse_args()
    for broker in options.brokers.split(","):
        look(broker, options.seconds)


if __name__ == "__main__":
    main()
