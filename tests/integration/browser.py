"""Headless Chromium over the DevTools protocol, as much of it as the tests need. Standard library only.

chromedevtools.github.io/devtools-protocol; WebSocket: RFC 6455. One browser, one page at a time, one thread.
"""
import base64
import json
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

from harness import SLOW


class Socket:
    """A WebSocket's client."""

    def __init__(self, url: str):
        host, port, path = re.fullmatch(r"ws://([^:/]+):(\d+)(/.*)", url).groups()
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            self._more()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.splitlines()[0], head

    def send(self, text: str):
        data, mask = text.encode(), os.urandom(4)
        size = struct.pack(">BBH", 0x81, 0x80 | 126, len(data)) if len(data) < 1 << 16 else struct.pack(">BBQ", 0x81, 0x80 | 127, len(data))
        self.socket.sendall(size + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self) -> str:
        text = b""
        while True:
            first, second = self._take(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            payload = self._take(size)
            if first & 15 < 8:  # not a control frame
                text += payload
                if first & 128:
                    return text.decode()

    def waiting(self) -> bool:
        return bool(self.pending) or bool(select.select([self.socket], [], [], 0)[0])

    def _take(self, size: int) -> bytes:
        while len(self.pending) < size:
            self._more()
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken

    def _more(self):
        data = self.socket.recv(1 << 20)
        assert data, "the browser has left"
        self.pending += data


class Browser:
    """`page` begins empty; open() goes somewhere. What the pages logged is in `complaints`, what they asked for in `requests`."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-browser-", ignore_cleanup_errors=True)
        program = next(path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if os.path.exists(path))
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-proxy-server",
             "--remote-debugging-port=0", f"--user-data-dir={self.folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.complaints, self.requests = [], []
        self.number = 0
        port = self._port()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            page = next(target for target in json.load(answer) if target["type"] == "page")
        self.socket = Socket(page["webSocketDebuggerUrl"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _port(self) -> int:
        deadline = time.monotonic() + 60 * SLOW
        while time.monotonic() < deadline:
            line = self.process.stderr.readline()
            if match := re.search(r"listening on ws://127\.0\.0\.1:(\d+)/", line):
                return int(match[1])
            assert line or self.process.poll() is None, "the browser does not start"
        raise AssertionError("the browser does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.folder.cleanup()

    def call(self, method: str, **parameters) -> dict:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self._note(message)

    def _note(self, message: dict):
        method, what = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(what["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")

    # --- what tests do ---

    def look(self, width: int = 1280, height: int = 800, dark: bool = False, scripts: bool = True, still: bool = False):
        """How the next page is looked at."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, url: str):
        self.complaints.clear()
        self.requests.clear()
        result = self.call("Page.navigate", url=url)
        assert "errorText" not in result, result

    def run(self, script: str):
        """The value of an expression in the page; of an element: {}."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def text(self, selector: str = "body") -> str:
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def until(self, script: str, seconds: float = 30):
        """The expression's value once it is true (in JavaScript's sense)."""
        deadline = time.monotonic() + seconds * SLOW
        while (value := self.run(script)) in (None, False, 0, ""):
            assert time.monotonic() < deadline, f"never came true: {script}\n{self.text()}\n{self.complaints}"
            time.sleep(0.05)
        return value

    def screenshot(self, path, whole: bool = True):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {**{k: size[k] for k in ("x", "y", "width", "height")}, "scale": 1}, "captureBeyondViewport": True} if whole else {}
        picture = self.call("Page.captureScreenshot", format="png", **clip)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))
