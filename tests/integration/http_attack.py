#!/usr/bin/env python3
"""Asks a daemon's HTTP port for pages, many at once, while slow clients hold connections and dribble; tells what came of it.

    http_attack.py URL [--requests 10000] [--slow 300] [--at-once 16] [--seed 1]

The last line of standard output is one object of JSON: `answered` by status; `refused`: closed before the first byte of an
answer (the request is sent again, up to 50 times); `broken`: anything else; `slow`: connections of slow clients."""
import argparse
import asyncio
import collections
import contextlib
import json
import random
import time
import urllib.parse

PAGES = ["/", "/metrics", "/api/status", "/api/latency", "/healthz", "/readyz", "/no-such-page"]
DRIBBLES = [b"GET / HTTP/1.1\r\nX: ", b"POST /metrics HTTP/1.1\r\nContent-Length: 4000\r\n\r\n", b"", b"\r\n", b"GET /metrics HTTP/1.1\r\n"]
ATTEMPTS = 50


class Attack:
    def __init__(self, options):
        url = urllib.parse.urlsplit(options.url)
        self.host, self.port = url.hostname, url.port
        self.dice = random.Random(options.seed)
        self.left = options.requests
        self.answered, self.refused, self.broken, self.slow = collections.Counter(), 0, collections.Counter(), 0
        self.over = False

    async def answer(self, reader):
        """The status of one answer; None: the server closed instead."""
        head = b""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as problem:
            if not getattr(problem, "partial", b""):
                return None
            raise ValueError("half a header") from None
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        try:
            await reader.readexactly(int(fields[b"content-length"]))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ValueError("half a body") from None
        return int(head.split()[1])

    async def ask(self, page, connection, keep):
        """One request, over `connection` if there is one; the connection that is left."""
        for _ in range(ATTEMPTS):
            try:
                connection = connection or await asyncio.open_connection(self.host, self.port)
                reader, writer = connection
                writer.write(f"GET {page} HTTP/1.1\r\nHost: x\r\n{'' if keep else 'Connection: close' + chr(13) + chr(10)}\r\n".encode())
                status = await asyncio.wait_for(self.answer(reader), 60)
            except ConnectionError:
                status = None
            except (ValueError, asyncio.TimeoutError) as problem:
                self.broken[str(problem) or "no answer in 60 s"] += 1
                return None
            if status is not None:
                self.answered[status] += 1
                if keep:
                    return connection
                writer.close()
                return None
            self.refused += 1
            if connection:
                connection[1].close()
            connection = None
        self.broken[f"refused {ATTEMPTS} times"] += 1
        return None

    async def worker(self):
        connection = None
        while self.left > 0:
            self.left -= 1
            connection = await self.ask(self.dice.choice(PAGES), connection, self.dice.random() < 0.7)
        if connection:
            connection[1].close()

    async def dribble(self):
        """Half a request, byte by byte, until the server has had enough; then again."""
        while not self.over:  # wait_for() may swallow a cancellation
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                self.slow += 1
                writer.write(self.dice.choice(DRIBBLES))
                while not self.over and not reader.at_eof() and not writer.is_closing():
                    with contextlib.suppress(asyncio.TimeoutError):
                        if not await asyncio.wait_for(reader.read(4096), self.dice.uniform(0.1, 0.5)):
                            break
                    writer.write(b"x")
                writer.close()
            await asyncio.sleep(self.dice.uniform(0.1, 0.5))

    async def run(self, workers, slow):
        dribbles = [asyncio.create_task(self.dribble()) for _ in range(slow)]
        await asyncio.gather(*(self.worker() for _ in range(workers)))
        self.over = True
        for task in dribbles:
            task.cancel()
        await asyncio.gather(*dribbles, return_exceptions=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--slow", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    attack, began = Attack(options), time.monotonic()
    asyncio.run(attack.run(options.at_once, options.slow))
    print(json.dumps({"answered": attack.answered, "refused": attack.refused, "broken": attack.broken, "slow": attack.slow,
                      "seconds": round(time.monotonic() - began, 2)}))


if __name__ == "__main__":
    main()
