#!/usr/bin/env python3
"""The dashboard in a real browser (headless Chromium), with a real daemon behind it. Embedded broker.

TICKBRIDGE_SCREENSHOTS names a folder for pictures to look at.
"""
import contextlib
import json
import os
import pathlib
import socket
import tempfile
import threading
import unittest
import urllib.parse

from browser import Browser
from harness import SLOW, Daemon, EmbeddedBroker, Exchange, address, threads

MANY = 32
PHONE = 360
FIGURE = "document.querySelector('.meta div:nth-child(2) dd').textContent"  # next sequence
LIVE = "document.querySelector('#live')?.dataset.kind === 'live'"


def toml(feeds: dict) -> str:
    """{name: (port, topic)}"""
    return "".join(f'[feed.{name}]\nhost = "127.0.0.1"\nport = {port}\ntopic = "{topic}"\n' for name, (port, topic) in feeds.items())


def login_accepted(session: bytes, sequence: int) -> bytes:
    return b"\x00\x1fA" + session.rjust(10) + str(sequence).encode().rjust(20)


class HostileExchange:
    """Accepts every login, each time to another session whose name is markup, and hangs up."""

    SESSIONS = (b"<script>a", b"<img src=b", b"<b>c</b>")

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        logins = 0
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                with client, contextlib.suppress(OSError):
                    client.settimeout(5)
                    client.recv(1000)
                    client.sendall(login_accepted(self.SESSIONS[min(logins, 2)], 1))
                    logins += 1
                    if logins > 2:
                        client.settimeout(60)
                        while client.recv(1000):
                            client.sendall(b"\x00\x01H")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


class Dashboard(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(Browser())
        cls.broker = cls.enterClassContext(EmbeddedBroker(
            {name: 12 for name in ("live", "plain", "phone", "killed", "hostile", "hidden", "away", "token")} | {f"many{n}": 3 for n in range(MANY)}))
        cls.exchange = cls.enterClassContext(Exchange("--generate", 5_000_000, "--rate", 2_000))

    def daemon(self, name: str, settings=None, **words) -> Daemon:
        feed = {**address(self.exchange, name), f"feed.{name}.topic": name}
        return self.enterContext(Daemon(self.broker.servers, {**({} if "config" in words else feed), **(settings or {})}, **words))

    def picture(self, name: str, whole: bool = True):
        if folder := os.environ.get("TICKBRIDGE_SCREENSHOTS"):
            self.browser.screenshot(pathlib.Path(folder) / f"{name}.png", whole)

    def show(self, daemon: Daemon, **how):
        """The page once it is live; nothing may be wrong with it when the test ends."""
        self.browser.look(**how)
        self.browser.open(daemon.url() + "/")
        self.browser.until(LIVE)
        self.browser.until("document.querySelectorAll('.state.streaming').length > 0")

    def must_be_sound(self, daemon: Daemon):
        """Nothing on the console, and nothing asked of anybody else."""
        self.browser.run("0")  # takes in what is still to be told
        complaints = [text for text in self.browser.complaints  # the page before, whose daemon is gone, may be told of late
                      if "ERR_CONNECTION_REFUSED" not in text or daemon.url() in text]
        self.assertEqual(complaints, [])
        origins = {urllib.parse.urlsplit(url)._replace(path="", query="").geturl() for url in self.browser.requests}
        self.assertEqual(origins, {daemon.url()})

    def assert_fits(self, width: int):
        found = self.browser.until("document.readyState === 'complete' && document.styleSheets.length > 0 && document.documentElement.scrollWidth")
        self.assertLessEqual(found, width)

    def test_shows_figures_that_change(self):
        daemon = self.daemon("live")
        self.show(daemon)
        first = self.browser.run(FIGURE)
        self.browser.until(f"{FIGURE} !== {json.dumps(first)}")
        self.browser.until("document.querySelector('.rate .big').textContent !== '–'")
        self.browser.until("(document.querySelector('.rate .line').getAttribute('d') ?? '').includes('L')")
        self.browser.until("document.querySelector('.latency td').textContent.match(/(µs|ms| s)$/)")
        self.browser.until("document.querySelector('.partitions .dim').textContent.includes('12 partitions') && "
                           "document.querySelector('.strip .usual').getAttribute('d').split('M').length === 13")
        text = self.browser.text()
        for word in ("streaming", "ready", "healthy", "Kafka connected", "1 feed, 1 streaming: nothing is wrong now", "gaps", "dead letters",
                     "reconnects", "foreign writes", "99.9 %", "ring", "in flight to Kafka", "Partitions of live"):
            self.assertIn(word, text)
        self.assertEqual(self.browser.run("getComputedStyle(document.querySelector('#plain')).display"), "none")
        self.picture("light")
        self.must_be_sound(daemon)

    def test_is_dark_where_the_system_is(self):
        daemon = self.daemon("plain")
        backs = {}
        for dark in (False, True):
            self.show(daemon, dark=dark, still=dark)
            backs[dark] = max(map(int, self.browser.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)")))
            self.picture("dark" if dark else "light-again")
        self.assertGreater(backs[False], 200)
        self.assertLess(backs[True], 60)
        self.assertEqual(self.browser.run("getComputedStyle(document.querySelector('.bar .fill')).transitionDuration.replace('0s', '')"), "")
        self.must_be_sound(daemon)

    def test_without_javascript_a_table_says_it(self):
        daemon = self.daemon("away")
        daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 0, name="away")
        self.browser.look(width=PHONE, scripts=False)
        self.browser.open(daemon.url() + "/")
        self.addCleanup(self.browser.look)
        self.browser.until("document.querySelector('#plain tbody .state.streaming')")
        self.assert_fits(PHONE)
        text = self.browser.text("#plain")
        self.assertRegex(text, r"away\s+streaming\s+\d+\s+[\d,]+")
        self.assertTrue(self.browser.run("document.querySelector('#board').hidden"))
        self.assertEqual(self.browser.run("document.querySelector('noscript meta')?.httpEquiv"), "refresh")
        self.browser.run("document.body.dataset.seen = '1'")
        self.browser.until("!document.body?.dataset.seen && document.querySelector('#plain tbody .state')")  # it came anew
        self.picture("plain")

    def test_fits_on_a_phone(self):
        daemon = self.daemon("phone")
        self.show(daemon, width=PHONE, height=740)
        self.browser.until("document.querySelector('.partitions .dim').textContent.includes('partitions')")
        self.assert_fits(PHONE)
        self.picture("phone")
        self.must_be_sound(daemon)

    def test_costs_the_daemon_next_to_nothing(self):
        daemon = self.daemon("live")
        self.show(daemon)
        cpu = lambda: sum(used for name, used, _ in threads(daemon.pid).values() if name == "http")
        asked = lambda: len([url for url in self.browser.requests if "/api/" in url])
        begun, before = cpu(), asked()
        sequence = self.browser.run(FIGURE)
        self.browser.until(f"{FIGURE} !== {json.dumps(sequence)} && performance.getEntriesByType('resource').length > {before + 10}")
        self.assertLess((cpu() - begun) / (asked() - before), 0.02 * SLOW)  # seconds of CPU a request; 0.0007 are usual
        at_once = self.browser.run("""(() => {
          const all = performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/'));
          return Math.max(...all.map((one) => all.filter((other) => other.startTime < one.startTime && one.startTime < other.responseEnd).length));
        })()""")
        self.assertEqual(at_once, 0)  # one request after the other

    def test_many_feeds_are_a_table_and_each_opens(self):
        nowhere = socket.create_server(("127.0.0.1", 0))
        port = nowhere.getsockname()[1]
        nowhere.close()
        feeds = {f"many{n}": (port if n == 20 else self.exchange.port, f"many{n}") for n in range(MANY)}
        daemon = self.daemon("many", {"pipeline.ring_bytes": "1MiB"}, config=toml(feeds))
        self.show(daemon)
        self.browser.until(f"document.querySelectorAll('.feeds .state.streaming').length === {MANY - 1}", 60)
        self.assertEqual(self.browser.run("document.querySelectorAll('tr.feed').length"), MANY)
        self.assertEqual(self.browser.run("document.querySelector('tr.feed').innerText.split('\\t')[0].trim()"), "many20")  # worst first
        self.assertIn("many20 is connecting", self.browser.text("#verdict"))
        self.assertIn("not ready: feed many20 is connecting", self.browser.text("header"))
        self.assertRegex(self.browser.run("document.title"), r"^✖ \d+ problem")  # a ring may be full for a moment, too
        self.assertIn("cannot reach the exchange", self.browser.text("#notices"))
        self.browser.run(f"[...document.querySelectorAll('.opens')].find((b) => b.textContent === 'many7').focus()")
        for kind in ("keyDown", "keyUp"):
            self.browser.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        self.browser.until("document.querySelector('.opens[aria-expanded=true]')?.textContent === 'many7'")
        self.browser.until("document.querySelector('.panel .partitions').innerText.includes('3 partitions')")
        asked = [url for url in self.browser.requests if "/api/partitions" in url]
        self.assertEqual({urllib.parse.urlsplit(url).query for url in asked}, {"feed=many7"})
        self.picture("many")
        self.browser.look(width=PHONE, height=740)
        self.assert_fits(PHONE)
        self.picture("many-phone", whole=False)
        self.must_be_sound(daemon)

    def test_says_that_the_daemon_is_gone_and_goes_on_when_it_is_back(self):
        daemon = self.daemon("killed")
        self.show(daemon)
        port = urllib.parse.urlsplit(daemon.url()).port
        daemon.process.kill()
        daemon.process.wait()
        self.browser.until("document.querySelector('#live').dataset.kind === 'silent' && document.body.classList.contains('stale')")
        self.assertRegex(self.browser.text("#live"), r"no answer since \d\d:\d\d:\d\d \(.*\): not reachable")
        self.assertIn("no answer", self.browser.run("document.title"))
        self.picture("gone")
        self.browser.complaints.clear()  # the browser itself tells each refused connection
        again = self.daemon("killed", {"http.listen": f"127.0.0.1:{port}"})
        self.browser.until(LIVE + " && !document.body.classList.contains('stale')", 60)
        first = self.browser.until("document.querySelectorAll('.state.streaming').length === 1 && " + FIGURE)
        self.browser.until(f"{FIGURE} !== {json.dumps(first)}")
        self.assertEqual([text for text in self.browser.complaints if "ERR_CONNECTION_REFUSED" not in text], [])
        self.assertEqual(again.url(), daemon.url())

    def test_what_comes_from_outside_is_text(self):
        with HostileExchange() as exchange:
            daemon = self.daemon("hostile", {"feed.hostile.port": exchange.port, "feed.hostile.delivery": "at_least_once"})
            for scripts in (True, False):
                self.browser.look(scripts=scripts)
                self.addCleanup(self.browser.look)
                self.browser.open(daemon.url() + "/")
                list_of = "#notices" if scripts else "#plain .notices"
                self.browser.until(f"document.querySelector('{list_of}')?.innerText.includes('<script>a')", 60)
                self.browser.until("document.body.innerText.includes('<img src=b')")
                self.assertEqual(self.browser.run("document.querySelectorAll('img, b:not(#verdict b), body script').length"), 0)
                self.picture("hostile" if scripts else "hostile-plain")
                self.must_be_sound(daemon)

    def test_a_browser_that_knows_the_token_shows_it_with_every_request(self):
        with tempfile.TemporaryDirectory() as folder:
            token = pathlib.Path(folder) / "token"
            token.write_text("t0ken-of-24-letters-or-so\n")
            daemon = self.daemon("token", {"http.token_file": token})
            self.browser.look()
            self.browser.open(daemon.url().replace("http://", f"http://me:{token.read_text().strip()}@") + "/")
            self.browser.until(LIVE)
            sequence = self.browser.run(FIGURE)
            self.browser.until(f"{FIGURE} !== {json.dumps(sequence)}")
            self.assertEqual([text for text in self.browser.complaints if "401" not in text], [])  # 401 is how a browser learns of it

    def test_pauses_while_nobody_looks(self):
        daemon = self.daemon("hidden")
        self.show(daemon)
        asked = lambda: len([url for url in self.browser.requests if url.endswith("/api/status")])
        self.browser.run("Object.defineProperty(document, 'hidden', {get: () => window.away === true, configurable: true}); away = true; "
                         "document.dispatchEvent(new Event('visibilitychange'))")
        self.assertIn("paused", self.browser.text("#live"))
        before = asked()
        self.browser.run("new Promise((done) => setTimeout(done, 3000))")
        self.assertLessEqual(asked(), before + 1)  # one may have been under way
        self.browser.run("away = false; document.dispatchEvent(new Event('visibilitychange'))")
        self.browser.until(LIVE)
        self.assertGreater(asked(), before)

    def test_days_leave_nothing_behind(self):
        daemon = self.daemon("live")
        self.show(daemon)
        sizes = self.browser.run("""(async () => {
          const {Model} = await import('/dashboard/model.js');
          const status = await (await fetch('/api/status')).json();
          const {partitions} = (await (await fetch('/api/partitions')).json()).live;
          const model = new Model(), sizes = [];
          for (let i = 0; i < 20000; ++i) {
            status.uptime_seconds += 1;
            const feed = status.feeds.live;
            feed.messages_received += i % 1000;
            feed.gaps += i % 100 === 0;
            model.update(JSON.parse(JSON.stringify(status)), true);
            if (i % 2 === 0) model.feeds.get('live').updatePartitions('live', partitions, status.uptime_seconds);
            if (i % 5000 === 1000) {
              sizes.push(JSON.stringify([...model.feeds.values()], (key, value) => typeof value === 'number' ? 0 : value).length);
            }
          }
          return sizes;
        })()""")
        self.assertEqual(len(set(sizes)), 1, sizes)
        nodes = "document.querySelectorAll('*').length"
        before, sequence = self.browser.run(nodes), self.browser.run(FIGURE)
        self.browser.until(f"{FIGURE} !== {json.dumps(sequence)}")
        self.assertLess(self.browser.run(nodes) - before, 20)
        self.must_be_sound(daemon)


if __name__ == "__main__":
    unittest.main(verbosity=2)
