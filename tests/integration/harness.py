"""Runs the real programs against each other: exchange simulator, daemon, broker, verifier. Standard library only.

Every process is ended by its own id; everything is on loopback and bounded in time. TICKBRIDGE_BIN names the folder of
the daemon (ctest sets it), TICKBRIDGE_TOOLS that of the other programs; TICKBRIDGE_SEED repeats a random test.
"""
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TICKBRIDGE_BIN", ROOT / "build/release/bin"))  # the daemon's
TOOLS = pathlib.Path(os.environ.get("TICKBRIDGE_TOOLS", BIN))  # the other programs': sanitizers look at the daemon only
DATA = ROOT.parent / "shared" / "data"
SLOW = float(os.environ.get("TICKBRIDGE_SLOW", "1"))  # sanitizer builds: longer deadlines
SEED = int(os.environ.get("TICKBRIDGE_SEED", random.SystemRandom().randrange(1 << 32)))
EXACT = "lost 0 duplicated 0 out_of_order 0 altered 0"


def real_data(name: str) -> pathlib.Path | None:
    """A file of real market data; None only if the whole folder is missing."""
    if not DATA.exists():
        print("skipped: no real data")
        return None
    path = DATA / name
    assert path.exists(), f"{path} is missing although its folder is there"
    return path


def threads(pid: int) -> dict[str, tuple[str, float, int]]:
    """Of every thread of a process, by its id: name, seconds of CPU used, times it woke up (voluntary switches)."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            wakes = re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.M)[1]
            found[task.name] = ((task / "comm").read_text().strip(),
                                int((task / "schedstat").read_text().split()[0]) / 1e9, int(wakes))
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            pass
    return found


class Program:
    """A child process with its output in files."""

    def __init__(self, name: str, arguments: list, stdin=None, environment: dict | None = None):
        self.name = name
        self.directory = tempfile.TemporaryDirectory(prefix=f"tickbridge-{name}-")
        self.out = pathlib.Path(self.directory.name) / "out"
        self.err = pathlib.Path(self.directory.name) / "err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen([str(a) for a in arguments], stdout=out, stderr=err, stdin=stdin,
                                            env={**os.environ, **environment} if environment else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        return self.out.read_text(errors="replace")

    def errors(self) -> str:
        return self.err.read_text(errors="replace")

    def await_text(self, pattern: str, seconds: float = 60, stream: str = "out") -> re.Match:
        deadline = time.monotonic() + seconds * SLOW
        while True:
            text = self.output() if stream == "out" else self.errors()
            match = re.search(pattern, text)
            if match:
                return match
            over = self.process.poll() is not None or time.monotonic() > deadline
            if over:
                raise AssertionError(f"{self.name}: no '{pattern}'\n--- out\n{self.output()}\n--- err\n{self.errors()}")
            time.sleep(0.01)

    def wait(self, seconds: float = 60) -> int:
        try:
            return self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} runs on\n--- out\n{self.output()}\n--- err\n{self.errors()}") from None

    def signal(self, number: int):
        self.process.send_signal(number)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Exchange(Program):
    def __init__(self, *arguments):
        super().__init__("exchange", [TOOLS / "tickbridge-exchange", *arguments])
        match = self.await_text(r"listening on ([\d.]+):(\d+)")
        self.host, self.port = match[1], int(match[2])


class EmbeddedBroker(Program):
    """topics: {name: partitions}."""

    def __init__(self, topics: dict, *arguments):
        flags = [word for name, count in topics.items() for word in ("--topic", f"{name}:{count}")]
        super().__init__("broker", [TOOLS / "tickbridge-embedded-broker", "--until-stdin-closes", *flags, *arguments],
                         stdin=subprocess.PIPE)
        self.servers = self.await_text(r"bootstrap\.servers=(\S+)")[1]

    def tell(self, command: str):
        """One of the broker's commands, docs/tools/embedded-broker.md."""
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()


class Kafka:
    """A real cluster, by tools/kafka. `settings`: of the brokers, name=value. `security`: listeners with TLS and logins,
    whose addresses are in `secure`; `version`: of Kafka, else the usual one."""

    environment = None  # of tools/kafka; None: ours

    def __init__(self, brokers: int = 1, *settings: str, security: str = "", version: str = ""):
        self.directory = tempfile.TemporaryDirectory(prefix="tickbridge-kafka-")
        self.environment = {**os.environ, **({"TICKBRIDGE_KAFKA_VERSION": version} if version else {})}
        text = self.run("up", "--brokers", brokers, *(word for pair in settings for word in ("--broker-config", pair)),
                        *(["--security", security] if security else []))
        self.servers = re.search(r"bootstrap\.servers=(\S+)", text)[1]
        self.secure = dict(re.findall(r"bootstrap\.servers\.(\w+)=(\S+)", text))
        self.certificates = pathlib.Path(self.directory.name) / "cluster/security"

    def run(self, *words, stdin: str = "") -> str:
        done = subprocess.run([ROOT / "tools/kafka", str(words[0]), "--dir", self.directory.name + "/cluster",
                               *map(str, words[1:])], capture_output=True, text=True, timeout=300, input=stdin,
                              env=self.environment)
        assert done.returncode == 0, f"tools/kafka {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def topic(self, name: str, partitions: int, replication: int = 1, *config: str):
        flags = [word for setting in config for word in ("--config", setting)]
        self.run("topic", name, "--partitions", partitions, "--replication", replication, *flags)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.run("down")
        self.directory.cleanup()


class Daemon(Program):
    """settings: {option: value}, as --set takes them; `config` is TOML instead of, or beside, settings."""

    def __init__(self, servers: str, settings: dict, *arguments, config: str | None = None, feed: str = "default",
                 environment: dict | None = None):
        folder = tempfile.TemporaryDirectory(prefix="tickbridge-config-")
        self.folder = folder
        words = [BIN / "tickbridge", *arguments]
        if config is not None:
            path = pathlib.Path(folder.name) / "tickbridge.toml"
            path.touch(mode=0o600)  # for configurations with secrets
            path.write_text(config)
            words += ["--config", path]
        defaults = {"http.listen": "127.0.0.1:0", "producer.bootstrap.servers": servers}
        for key, value in {**defaults, **settings}.items():
            words += ["--set", f"{key}={value}"]
        super().__init__("daemon", words, environment=environment)

    def url(self) -> str:
        return self.await_text(r"listening on (https?://[^\s/]+)", stream="err")[1]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url() + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()

    def status(self) -> dict:
        return json.loads(self.get("/api/status")[1])

    def feed(self, name: str = "default") -> dict:
        return self.status()["feeds"][name]

    def await_feed(self, condition, seconds: float = 30, name: str = "default") -> dict:
        deadline = time.monotonic() + seconds * SLOW
        while True:
            feed = self.feed(name)
            if condition(feed):
                return feed
            assert time.monotonic() < deadline, f"feed {name} is {feed}\n{self.errors()}"
            assert self.process.poll() is None, f"the daemon left with {self.process.poll()}\n{self.errors()}"
            time.sleep(0.02)

    def metric(self, name: str, **labels) -> float:
        """The sum of a metric's samples that have these labels."""
        total, found = 0.0, False
        for line in self.get("/metrics")[1].splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if match and match[1] == name and all(f'{k}="{v}"' in (match[2] or "") for k, v in labels.items()):
                total, found = total + float(match[3]), True
        assert found, f"no metric {name} {labels}"
        return total


class Verifier(Program):
    def __init__(self, file, servers: str, topic: str, *arguments, follow: bool = True):
        words = [TOOLS / "tickbridge-verify", "--file", file, "--bootstrap", servers, "--topic", topic, *arguments]
        if follow:
            words += ["--follow", "--quiet", "0.3"]
        super().__init__("verify", words)

    def verdict(self, seconds: float = 120) -> str:
        self.wait(seconds)
        lines = self.output().splitlines()
        return lines[-1] if lines else self.errors()


def generate(path, messages: int, seed: int = 1, *arguments) -> pathlib.Path:
    done = subprocess.run([TOOLS / "tickbridge-exchange", "--generate", str(messages), "--seed", str(seed), "--save", path,
                           "--no-serve", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(path)


def address(exchange: Exchange, feed: str = "default") -> dict:
    return {f"feed.{feed}.host": exchange.host, f"feed.{feed}.port": exchange.port}
