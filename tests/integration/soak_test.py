#!/usr/bin/env python3
"""A daemon at full rate with its page open: memory, threads and files stay as they are. SECONDS: how long (120)."""
import pathlib
import sys
import threading
import time

from harness import Daemon, EmbeddedBroker, Exchange, address

WARM_UP = 20.0


def look(pid: int) -> dict:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    field = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if len(line.split()) > 1}
    return {"MiB": int(field["VmRSS"]) / 1024, "threads": int(field["Threads"]),
            "files": len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))}


def open_page(daemon: Daemon, over: threading.Event):
    """What a browser does: the page once, its figures each second; Prometheus beside it."""
    while not over.wait(1.0):
        for path in ("/", "/api/status", "/api/latency", "/metrics"):
            code, _ = daemon.get(path)
            assert code == 200, path


def main(seconds: float) -> int:
    broker = EmbeddedBroker({"ticks": 12, "ticks.dead": 1})
    exchange = Exchange("--generate", 200_000, "--loop", 1_000_000)
    daemon = Daemon(broker.servers, address(exchange))
    over = threading.Event()
    page = threading.Thread(target=open_page, args=(daemon, over))
    try:
        daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 100_000, seconds=120)
        page.start()
        time.sleep(min(WARM_UP, seconds / 4))
        samples, began = [], time.monotonic()
        while time.monotonic() - began < seconds:
            samples.append(look(daemon.pid))
            time.sleep(1)
        feed = daemon.feed()
    finally:
        over.set()
        if page.is_alive():
            page.join()
        for program in (daemon, exchange, broker):
            program.end()
    third = len(samples) // 3
    first, last = samples[:third], samples[-third:]
    for name in ("MiB", "threads", "files"):
        print(f"{name}: at first {min(s[name] for s in first):.0f} to {max(s[name] for s in first):.0f}, "
              f"at last {min(s[name] for s in last):.0f} to {max(s[name] for s in last):.0f}")
    print(f"{feed['messages_acknowledged']} messages acknowledged, {feed['messages_acknowledged'] / (seconds + WARM_UP):.0f} a second")
    assert max(s["MiB"] for s in last) <= max(s["MiB"] for s in first) * 1.02 + 4, "memory grows"
    assert max(s["threads"] for s in last) <= max(s["threads"] for s in first), "threads grow"
    assert max(s["files"] for s in last) <= max(s["files"] for s in first) + 2, "files grow"
    assert feed["state"] == "streaming" and feed["messages_dead_lettered"] == 0, feed
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 120.0))
