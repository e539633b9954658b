#!/usr/bin/env python3
"""A TCP proxy in front of each broker: delays, throttles, cuts, resets, and holds what a dead client had sent.

Why one of our own: the proxies that the registries offer (toxiproxy is the best of them) treat all connections of a
listener alike, and drop what they hold when the client is gone. "Hold the killed daemon's requests while its
successor's pass, and let them through seconds later" needs both to be different. Standard library only.

All proxies share one thread with an event loop; the methods of Proxies may be called from any thread.
"""
import asyncio
import collections
import contextlib
import random
import socket
import struct
import threading

HOST = "127.0.0.1"
PART = 64 << 10  # bytes read at once: small enough to throttle by
ROOM = 4 << 20  # bytes that a direction buffers before the sender has to wait; unlimited while held
LATE = 0.5  # seconds after its client's end from which on what is passed on counts as late
LINGER = 3.0  # seconds without an answer after which the connection of a client that is gone is closed


class Faults:
    """What is done to every connection, now and later."""

    def __init__(self):
        self.delay = 0.0  # seconds, each way
        self.jitter = 0.0  # at most so much more; the order of bytes stays
        self.rate = 0.0  # bytes a second and direction; 0: no limit
        self.refuse = False  # new connections are reset


class Way:
    """One direction of one connection: whatever the source sends is read at once, and goes out when it is due."""

    def __init__(self, faults, source, sink, name):
        self.faults, self.source, self.sink, self.name = faults, source, sink, name
        self.parts, self.size, self.due = collections.deque(), 0, 0.0
        self.held = self.ended = self.broken = False
        self.filter = None  # bytes -> bytes, for tampering
        self.news = asyncio.Event()
        self.ended_at = self.late = 0  # when the source ended; bytes passed on later than LATE behind it
        self.last_part = 0.0  # when the source sent last (the loop's time)

    async def read(self):
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self.source, PART):
                self.last_part = loop.time()
                data = self.filter(data) if self.filter else data
                self.due = max(self.due, loop.time() + self.faults.delay + random.random() * self.faults.jitter)
                self.parts.append((self.due, data))
                self.size += len(data)
                self.news.set()
                while self.size > ROOM and not self.held:
                    await asyncio.sleep(0.005)
        self.ended, self.ended_at = True, loop.time()
        self.news.set()

    async def write(self):
        loop = asyncio.get_running_loop()
        while True:
            while self.held or not self.parts:
                if self.ended and not self.held:
                    return
                self.news.clear()
                await self.news.wait()
            due, data = self.parts[0]
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
                continue  # it may be held by now
            self.parts.popleft()
            self.size -= len(data)
            await self._send(loop, data)
            if self.faults.rate:
                await asyncio.sleep(len(data) / self.faults.rate)

    async def _send(self, loop, data):
        if self.broken:
            return  # nobody is there to take it, but the source is read on
        try:
            await loop.sock_sendall(self.sink, data)
        except OSError:
            self.broken = True
        if self.ended and not self.broken and loop.time() - self.ended_at > LATE:
            self.late += len(data)

    def hold(self, held):
        self.held = held
        self.news.set()


class Link:
    """A client's connection and ours to the broker behind it."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.up = Way(proxy.faults, client, server, "up")
        self.down = Way(proxy.faults, server, client, "down")
        self.killed = asyncio.Event()

    async def run(self):
        tasks = [asyncio.ensure_future(work) for work in
                 (self.up.write(), self.down.write(), self.killed.wait(), self.up.read(), self.down.read())]  # fmt: skip
        try:
            await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():  # the client is gone: the broker may still be busy with what it sent
                await self._let_the_broker_finish()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.close()

    async def _let_the_broker_finish(self):
        loop = asyncio.get_running_loop()
        until = loop.time() + LINGER
        while loop.time() < until and not self.down.ended and not self.killed.is_set():
            await asyncio.sleep(0.05)
            until = max(until, self.down.last_part + LINGER)

    def close(self):
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.close()

    def reset(self):
        """Both sides see "connection reset"; what was on its way is lost."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.killed.set()

    def cut(self):
        self.killed.set()


class Proxy:
    """One listener; `target` is told once the broker is up."""

    def __init__(self):
        self.listener = socket.create_server((HOST, 0), backlog=128)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.target, self.faults, self.links, self.count = None, Faults(), set(), 0
        self.late = 0  # bytes that reached the broker when their client was long gone

    async def serve(self):
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self.listener)
            self.count += 1
            task = asyncio.ensure_future(self._one(client))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _one(self, client):
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        server = socket.socket()
        server.setblocking(False)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, client, server)
        try:
            if self.faults.refuse or self.target is None:
                raise OSError("refused")
            await asyncio.wait_for(loop.sock_connect(server, self.target), 5)
        except (OSError, asyncio.TimeoutError):
            link.reset()
            link.close()
            return
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)
            self.late += link.up.late


class Proxies:
    """`count` proxies, in a thread of their own. Numbers count from 1, as the brokers' do; None means all of them."""

    def __init__(self, count: int):
        self.proxies = {n: Proxy() for n in range(1, count + 1)}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="proxies", daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        for proxy in self.proxies.values():
            self.loop.create_task(proxy.serve())
        self.loop.run_forever()

    def _do(self, function):
        """`function` in the loop's thread; its answer."""
        async def run():
            return function()
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def _chosen(self, number):
        return self.proxies.values() if number is None else [self.proxies[number]]

    def _links(self, number):
        return [link for proxy in self._chosen(number) for link in list(proxy.links)]

    def address(self, number: int) -> str:
        return f"{HOST}:{self.proxies[number].port}"

    def point(self, number: int, host: str, port: int):
        self.proxies[number].target = (host, port)

    def faults(self, number=None, **values):
        """delay, jitter, rate, refuse: from now on, for old and new connections."""
        def run():
            for proxy in self._chosen(number):
                for name, value in values.items():
                    setattr(proxy.faults, name, value)
        self._do(run)

    def heal(self):
        self.faults(delay=0.0, jitter=0.0, rate=0.0, refuse=False)
        self.release()

    def cut(self, number=None) -> int:
        return self._do(lambda: len([link.cut() for link in self._links(number)]))

    def reset(self, number=None) -> int:
        return self._do(lambda: len([link.reset() for link in self._links(number)]))

    def hold(self, number=None, up=True, down=False) -> list:
        """The connections of this moment stand still in one or both directions; later ones pass."""
        def run():
            links = self._links(number)
            for link in links:
                link.up.hold(link.up.held or up)
                link.down.hold(link.down.held or down)
            return links
        return self._do(run)

    def release(self, links=None):
        def run():
            for link in self._links(None) if links is None else links:
                link.up.hold(False)
                link.down.hold(False)
        self._do(run)

    def held_bytes(self, links) -> int:
        return self._do(lambda: sum(link.up.size for link in links))

    def late_bytes(self) -> int:
        """What has reached brokers although its client was gone: the late appends are among it."""
        return self._do(lambda: sum(proxy.late + sum(link.up.late for link in proxy.links) for proxy in self.proxies.values()))

    def tamper(self, number, make):
        """`make()` gives each connection's (filter of what goes up, filter of what comes down)."""
        def run():
            for link in self._links(number):
                link.up.filter, link.down.filter = make() if make else (None, None)
        self._do(run)

    def end(self):
        def stop():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_later(0.2, self.loop.stop)
        self.loop.call_soon_threadsafe(stop)
        self.thread.join(5)
        for proxy in self.proxies.values():
            proxy.listener.close()
