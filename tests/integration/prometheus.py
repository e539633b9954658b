"""A real Prometheus that scrapes daemons each second, on loopback."""
import json
import pathlib
import re
import socket
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import Program

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: tickbridge
    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Prometheus(Program):
    """Scrapes what watch() was told of. Ports cannot be left to it, so another one is tried when somebody was faster."""

    def __init__(self, rules: str = "groups: []\n"):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-prometheus-")
        self.targets = {}
        root = pathlib.Path(self.folder.name)
        (root / "prometheus.yml").write_text(CONFIG)
        (root / "rules.yml").write_text(rules)
        self.write_targets()
        for _ in range(5):
            self.port = free_port()
            super().__init__("prometheus", ["prometheus", f"--config.file={root}/prometheus.yml", f"--storage.tsdb.path={root}/data",
                                            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=info"])
            if self.is_up():
                return
        raise AssertionError(f"prometheus does not come up\n{self.errors()}")

    def is_up(self) -> bool:
        deadline = time.monotonic() + 60 * harness.SLOW
        while self.process.poll() is None and time.monotonic() < deadline:
            if "Server is ready to receive web requests" in self.errors():
                return True
            time.sleep(0.05)
        return False

    def write_targets(self):
        path = pathlib.Path(self.folder.name) / "targets.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps([{"targets": [address], "labels": {"instance": name}} for name, address in self.targets.items()]))
        part.rename(path)  # never half a file

    def watch(self, name: str, address: str):
        """From now on `address` is scraped as instance `name`."""
        self.targets[name] = address.removeprefix("http://")
        self.write_targets()

    def forget(self, name: str):
        del self.targets[name]
        self.write_targets()

    def ask(self, path: str, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as problem:
            raise AssertionError(f"{parameters}: {problem.read().decode()}") from None

    def query(self, expression: str) -> list:
        """[({label: value}, number)]"""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression)["result"]]

    def await_query(self, expression: str, seconds: float = 30) -> list:
        """Until it finds something."""
        deadline = time.monotonic() + seconds * harness.SLOW
        while True:
            found = self.query(expression)
            if found:
                return found
            assert time.monotonic() < deadline, f"{expression} finds nothing\n{self.errors()}"
            time.sleep(0.2)

    def firing(self, instance: str) -> dict:
        """The alerts that fire for it, by name."""
        return {one["labels"]["alertname"]: one for one in self.ask("alerts")["alerts"]
                if one["state"] == "firing" and one["labels"].get("instance", instance) == instance}


def scaled(rules: str, seconds: dict) -> str:
    """The rules with minutes turned into seconds: 10m into 10s in ranges and `for`, in which one scrape a second finds as many samples
    as one each minute would; and thresholds in seconds, which stand in the text as they are given here: {text: text}."""
    for old, new in seconds.items():
        assert old in rules, f"the rules do not say {old}"
        rules = rules.replace(old, new)
    rules, ranges = re.subn(r"\[(\d+)m\]", r"[\1s]", rules)
    rules, waits = re.subn(r"(?m)^(\s+for: \d+)m$", r"\1s", rules)
    assert ranges > 10 and waits > 5, (ranges, waits)
    return rules
