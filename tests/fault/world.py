"""The fault suite's world: a cluster of three behind proxies, exchanges, and the lives of a daemon on one feed.

Every process is ended by its own id. A Run keeps what all lives of its daemon logged, and what strangers they named.
"""
import collections
import dataclasses
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/check")]
import harness  # noqa: E402
import log_check  # noqa: E402
from proxy import Proxies  # noqa: E402

BROKERS = (1, 2, 3)
Named = re.compile(r"topic (\S+) partition (\d+) offsets? (\d+)(?: (?:to|-|\.\.) ?(\d+))?: (.*)")
Lower = re.compile(r"was answered (\d+) packets lower than asked for")
LoggedIn = re.compile(r"logged in to session (\S+) at sequence (\d+)")
Totals = re.compile(r"(\d+) committed, (\d+) acknowledged, ")
VERDICT = re.compile(r"expected (\d+) found (\d+) lost (\d+) duplicated (\d+) out_of_order (\d+) altered (\d+)")
# Where in its life a daemon is: behind the last of these lines that it has logged. "own": its start checkpoint is being
# written, or read back. "aligned": the suffix is used up, but nothing new is acknowledged yet.
PHASES = {"watch": "recovery: watching", "fence": "recovery: fencing", "ends": "recovery: reading the ends",
          "suffix": "recovery: reading the suffix", "login": "logged in to session", "own": "recovery: taking ownership",
          "align": "owned, epoch", "aligned": ": aligned before sequence"}  # fmt: skip
# What at_most_once may lose by a kill: what was handed over and not acknowledged, and what is given up ahead of that (as many
# packets, and the piece at hand: what one read brings, 256 KiB of messages of 22 bytes or more). Here a packet is a message.
IN_FLIGHT = 5_000
AHEAD = IN_FLIGHT + 262_144 // 22


def kafka_tool():
    """tools/kafka as a module: it speaks enough of Kafka's protocol to see leaders and in-sync replicas."""
    loader = importlib.machinery.SourceFileLoader("kafka_tool", str(ROOT / "tools/kafka"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("kafka_tool", loader))
    loader.exec_module(module)
    return module


class Cluster(harness.Kafka):
    """Three brokers; `servers` goes around the proxies, `proxied` through them."""

    def __init__(self, proxies: Proxies):
        self.directory = tempfile.TemporaryDirectory(prefix="tickbridge-fault-")
        self.tool, self.proxies = kafka_tool(), proxies
        flags = [word for n in BROKERS for word in ("--advertise", f"{n}={proxies.address(n)}")]
        text = self.run("up", "--brokers", len(BROKERS), *flags)
        self.servers = re.search(r"direct\.servers=(\S+)", text)[1]
        self.proxied = re.search(r"bootstrap\.servers=(\S+)", text)[1]
        rows = json.loads(pathlib.Path(self.directory.name, "cluster/cluster.json").read_text())["brokers"]
        self.ports = {row["number"]: row["port"] for row in rows}
        for row in rows:
            proxies.point(row["number"], "127.0.0.1", row["front_port"])

    def state(self, number: int) -> str:
        return self._broker(number).state()

    def _broker(self, number):
        return self.tool.Cluster(self.directory.name + "/cluster").broker(number)

    def terminate(self, number: int):
        """An orderly stop: the broker hands its leaderships over first."""
        broker = self._broker(number)
        os.kill(broker.pid, signal.SIGTERM)
        self.tool.wait_down(broker, 30.0)

    def metadata(self, topic: str) -> dict:
        """{partition: (leader, {in-sync replicas})}, from whichever broker answers."""
        for number in BROKERS:
            if self.state(number) == "running":
                try:
                    return self.tool.metadata(self.ports[number], topic)[1] or {}
                except OSError:
                    pass
        return {}

    def leader(self, topic: str, partition: int = 0) -> int:
        return self.metadata(topic)[partition][0]

    def heal(self, topic: str | None = None, seconds: float = 60):
        """All brokers run; the topic's replicas are in sync again."""
        for number in BROKERS:
            if self.state(number) == "stopped":
                self.run("cont", number)
            if self.state(number) == "down":
                self.run("start", number)
        deadline = time.monotonic() + seconds
        self.tool.wait_ready([self._broker(number) for number in BROKERS])  # all see all
        while topic and any(len(row[1]) < len(BROKERS) or row[0] < 0 for row in self.metadata(topic).values() or [(-1, ())]):
            assert time.monotonic() < deadline, f"{topic} does not come in sync: {self.metadata(topic)}"
            time.sleep(0.1)

    def topic_led_by(self, name: str, replicas: list):
        """A topic whose partition n has the replicas replicas[n], the first one leading."""
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.servers})
        for future in admin.create_topics([NewTopic(name, len(replicas), replica_assignment=replicas)]).values():
            future.result(30)
        self.heal(name)


@dataclasses.dataclass
class Kill:
    """How a life ended."""

    phase: str
    unacknowledged: int


class Life(harness.Daemon):
    """One process of the daemon on a Run's feed."""

    def __init__(self, run, *arguments, extra_config="", **settings):
        self.run, self.last = run, {}
        settings = {name.replace("__", "."): value for name, value in settings.items()}
        super().__init__(run.servers, {**run.settings, **settings}, *arguments, config=run.config() + extra_config)

    def alive(self) -> bool:
        return self.process.poll() is None

    def look(self) -> dict:
        """/api/status of the feed; what was last seen if the daemon does not answer (yet, or any more)."""
        match = re.search(r"listening on (http://[^\s/]+)", self.errors())
        if match and self.alive():
            try:
                self.last = self.feed(self.run.name)
            except (OSError, ValueError) as problem:
                self.run.say(f"/api/status: {problem!r}")
        return self.last

    def progress(self) -> int:
        """About how far into the session the log is."""
        feed, login = self.look(), LoggedIn.search(self.errors())
        first = int(login[2]) - 1 if login else 0
        return first + feed.get("messages_acknowledged", 0) + feed.get("messages_skipped", 0) if login else 0

    def unacknowledged(self) -> int:
        self.look()
        return self.unacknowledged_at_last()

    def unacknowledged_at_last(self) -> int:
        feed = self.last
        return feed.get("messages_committed", 0) - feed.get("messages_acknowledged", 0)

    def must_live(self):
        assert self.alive(), f"the daemon left by itself with {self.process.poll()}\n{self.errors()}"

    def until(self, condition, seconds: float = 60, step: float = 0.01, what: str = ""):
        """Waits for condition(), while the daemon lives."""
        deadline = time.monotonic() + seconds * harness.SLOW
        while not condition():
            self.must_live()
            if time.monotonic() > deadline:
                self.run.say(self.stacks())
                raise AssertionError(f"not within {seconds} s: {what or condition}\n{self.last}\n{self.errors()}")
            time.sleep(step)

    def stacks(self) -> str:
        """What its threads do: for a daemon that stands still."""
        command = ["gdb", "-p", str(self.pid), "-batch", "-ex", "thread apply all backtrace 12"]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
        except (OSError, subprocess.TimeoutExpired):
            states = [path.read_text().split("VmPeak")[0] for path in pathlib.Path(f"/proc/{self.pid}/task").glob("*/status")]
            return "\n".join(states)

    def await_log(self, pattern, seconds: float = 60):
        self.until(lambda: re.search(pattern, self.errors()), seconds, 0.003, pattern)

    def await_writing(self, count: int = 1, seconds: float = 60):
        """Until `count` new records of this life are acknowledged."""
        self.until(lambda: self.look().get("messages_acknowledged", 0) >= count, seconds, what=f"{count} written")

    def await_progress(self, message: int, seconds: float = 120):
        self.until(lambda: self.progress() >= message, seconds, what=f"message {message}")

    def phase(self) -> str:
        """In which part of its life the daemon is, by its log and its status."""
        if self.last.get("messages_acknowledged", 0):
            return "running"
        log = self.errors()
        return next((name for name, line in reversed(PHASES.items()) if line in log), "starting")

    def kill(self, count: int | None = None) -> Kill:
        """`count`: of unacknowledged records, if it has just been looked at."""
        self.must_live()
        count = self.unacknowledged() if count is None else count
        self.must_live()
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.run.note_end(self)
        return Kill(self.phase(), count)

    def span(self, refused: bool) -> log_check.LifeSpan | None:
        """Of a life that is over: from where on it read, and what at_most_once allows it to lose. None: it never logged in."""
        logins = list(LoggedIn.finditer(self.errors()))
        behind = self.errors()[logins[0].end():logins[1].start() if logins[1:] else None] if logins else ""
        if not behind.strip():
            return None
        login = logins[0]
        totals = Totals.search(self.errors())
        given_up = int(totals[1]) - int(totals[2]) if totals else self.unacknowledged_at_last()
        killed = IN_FLIGHT + AHEAD if self.process.returncode in (-signal.SIGKILL, 76) else 0  # a zombie's life ends with 76
        # An exchange that came back is not as far yet as it was; what it sends again is dropped.
        lower = Lower.search(behind)
        return log_check.LifeSpan(int(login[2]) + (int(lower[1]) if lower else 0), killed + (given_up if refused else 0), not refused)

    def leave(self, seconds: float = 90) -> int:
        """Waits until it leaves by itself; its exit code."""
        deadline = time.monotonic() + seconds * harness.SLOW
        while self.alive() and time.monotonic() < deadline:
            self.look()
            time.sleep(0.05)
        if self.alive():
            self.run.say(self.stacks())
            raise AssertionError(f"the daemon runs on, {self.last}\n{self.errors()}")
        self.run.note_end(self)
        return self.process.returncode

    def stop(self, seconds: float = 60) -> int:
        self.signal(signal.SIGTERM)
        return self.leave(seconds)

    def named(self) -> dict:
        """{"foreign" | "double": {(partition, offset)}} of the feed's topic."""
        found = collections.defaultdict(set)
        for topic, partition, first, last, what in Named.findall(self.errors()):
            kind = "double" if "double" in what else "foreign" if "foreign" in what else what
            if topic == self.run.topic:
                found[kind] |= {(int(partition), n) for n in range(int(first), int(last or first) + 1)}
        return found


class Run:
    """One feed with its file, topic, exchanges, and the lives of its daemon."""

    def __init__(self, world, name, delivery, messages, *, rate=0, partitions=12, exchanges=1, flags=(), proxied=False,
                 settings=None, topic=True):
        self.world, self.name, self.topic, self.delivery = world, name, name, delivery
        self.file, self.messages = world.file(messages), messages
        self.servers = world.kafka.proxied if proxied else world.kafka.servers
        more = dict(pair.split("=", 1) for pair in os.environ.get("TICKBRIDGE_FAULT_SET", "").split(";") if pair)
        few = {"producer.max_in_flight_messages": IN_FLIGHT} if delivery == "at_most_once" else {}
        self.settings = {"log.level": "debug", **few, **(settings or {}), **more}
        self.rate, self.flags, self.checkpoints = rate, list(flags), name + ".checkpoints"
        self.lives, self.logs, self.notes, self.foreign = [], [], [], set()
        if topic:
            world.kafka.topic(name, partitions, 3)
        self.exchanges = [self.exchange() for _ in range(exchanges)]
        self.hosts = [f"{e.host}:{e.port}" for e in self.exchanges]

    def exchange(self, port: int = 0, *flags) -> harness.Exchange:
        rate = ["--rate", self.rate] if self.rate else []
        return harness.Exchange("--file", self.file, "--port", port, *rate, *self.flags, *flags)

    def rush(self):
        """The rest of the session as fast as it is taken: the exchanges come back without a rate."""
        self.rate = 0
        self.flags = []
        for number, exchange in enumerate(self.exchanges):
            exchange.process.kill()
            exchange.process.wait()
            self.exchanges[number] = self.exchange(exchange.port)
        self.say("the exchange is in a hurry")

    def config(self) -> str:
        return self.feed_config() + f'''
[checkpoint]
topic = "{self.checkpoints}"
'''

    def feed_config(self) -> str:
        hosts = ", ".join(f'"{host}"' for host in self.hosts)
        return f'''
[feed.{self.name}]
hosts = [{hosts}]
topic = "{self.topic}"
dead_letter_topic = "{self.topic}.dead"
delivery = "{self.delivery}"
reconnect_min = "10ms"
reconnect_max = "500ms"
[feed.{self.name}.soupbintcp]
silence = "3s"
'''

    def start(self, *arguments, **more) -> Life:
        life = Life(self, *arguments, **more)
        self.lives.append(life)
        return life

    def say(self, text: str):
        self.notes.append(f"{time.strftime('%H:%M:%S')} {text}")
        if os.environ.get("TICKBRIDGE_FAULT_VERBOSE"):
            print("   ", self.notes[-1], flush=True)

    def note_end(self, life: Life):
        self.logs.append(f"== life {self.lives.index(life) + 1}, exit {life.process.returncode}, {life.last}\n{life.errors()}")
        self.say(f"life {self.lives.index(life) + 1} ended with {life.process.returncode}")

    def named(self, kind: str) -> set:
        return set().union(*(life.named()[kind] for life in self.lives))

    def finish(self, seconds: float = 120, restart_on=(), tries: int = 4, life: Life | None = None):
        """The session is played to its end; a life that leaves with one of `restart_on` is followed by the next."""
        for _ in range(tries):
            life = life or self.start("--exit-at-end")
            code = life.leave(seconds)
            if code == 0:
                return
            assert code in restart_on, f"the last life left with {code}\n{life.errors()}"
            life = None
        raise AssertionError(f"not finished in {tries} lives")

    def verify(self) -> tuple:
        """tickbridge-verify's numbers: (lost, duplicated, out of order, altered)."""
        with harness.Verifier(self.file, self.world.kafka.servers, self.topic, follow=False) as verifier:
            verdict = verifier.verdict(180)
            match = VERDICT.search(verdict)
            assert match, f"no verdict: {verdict}\n{verifier.output()}\n{verifier.errors()}"
            self.say(f"tickbridge-verify: {match[0]}")
            self.details = verifier.output()
        return tuple(int(n) for n in match.groups()[2:])

    def check(self, but=frozenset()) -> log_check.Finding:
        finding = log_check.check(self.world.expectation(self.messages), self.world.kafka.servers, self.topic, but=but)
        self.say(f"independent check: {finding}")
        return finding

    def exact(self):
        numbers, finding = self.verify(), self.check()
        assert numbers == (0, 0, 0, 0) and finding.exact(), f"tickbridge-verify: {numbers}\n{self.details}\nindependent: {finding}"

    def nothing_lost(self):
        """What at_least_once promises: all is there, and in order when doubles are passed over."""
        numbers, finding = self.verify(), self.check()
        assert numbers[0] == 0 == numbers[3] and (finding.lost, finding.out_of_order, finding.altered) == (0, 0, 0), (
            f"tickbridge-verify: {numbers}\n{self.details}\nindependent: {finding}")

    def nothing_doubled(self, refused: bool = False, late: bool = False):
        """What at_most_once promises: each life that was killed may have lost what it had under way, and nothing else. Where a
        kill cost an instrument's directory message, its records that follow have its number for a key (docs/delivery.md):
        those, and nothing else, may look altered. `refused`: brokers were in trouble, and there are no retries. `late`: what a dead or stopped
        daemon had under way may have come behind what its successor wrote (docs/delivery.md)."""
        numbers, finding = self.verify(), self.check()
        unnamed = len(finding.unnamed)
        self.say(f"{unnamed} records without their symbol")
        in_order = numbers[2] == finding.out_of_order == 0
        good = (numbers[1] == 0 and (in_order or late) and numbers[3] == finding.altered == unnamed and not finding.duplicated
                and finding.lost - unnamed == numbers[0] == len(finding.lost_at)
                and numbers[0] + finding.found == finding.expected)
        assert good, f"tickbridge-verify: {numbers}\n{self.details}\nindependent: {finding}, {unnamed} without their symbol"
        spans = [span for life in self.lives if (span := life.span(refused))]
        self.say(f"{len(finding.lost_at)} lost, {spans}")
        problems = log_check.unexplained(self.world.expectation(self.messages), finding, spans)
        assert not problems, "; ".join(problems)
        return len(finding.lost_at)

    def exact_but_named(self, late: bool = False):
        """Nothing is lost; what is too much is exactly what the daemon named: foreign records, doubles of ours.

        `late`: of doubles whose first one lies before the checkpoint a start cannot know that they are ours, and calls
        them foreign."""
        foreign, doubles = self.named("foreign"), self.named("double")
        numbers, finding, rest = self.verify(), self.check(), self.check(but=foreign | doubles)
        self.say(f"named: {len(foreign)} foreign, {len(doubles)} doubles")
        assert numbers[0] == 0 and finding.lost == 0, f"lost: {numbers} {finding}"
        assert rest.exact(), f"without what was named: {rest}"
        assert late or foreign == self.foreign, f"named as foreign {sorted(foreign)}, written {sorted(self.foreign)}"
        surplus = (len(foreign | doubles) - len(self.foreign), len(self.foreign))
        assert (finding.duplicated, finding.altered) == surplus == (numbers[1], numbers[3]), f"{finding}, {numbers}, named {surplus}"

    def keep_promise(self, refused: bool = False, late: bool = False):
        return {"exactly_once": self.exact, "transactional": self.exact, "at_least_once": self.nothing_lost,
                "at_most_once": lambda: self.nothing_doubled(refused, late)}[self.delivery]()  # fmt: skip

    def write_foreign(self, dice, count: int):
        """Somebody else's producer writes into random partitions; where its records lie is remembered. It writes
        the same bytes again and again, as a test client does: none of them is a double of ours."""
        from confluent_kafka import Producer

        producer, problems = Producer({"bootstrap.servers": self.world.kafka.servers, "linger.ms": 1}), []

        def delivered(error, message):
            problems.append(error) if error else self.foreign.add((message.partition(), message.offset()))

        count_of_partitions = len(self.world.kafka.metadata(self.topic))
        for _ in range(count):
            producer.produce(self.topic, b"a stranger's", b"AAPL", dice.randrange(count_of_partitions),
                             on_delivery=delivered)
        assert producer.flush(30) == 0 and not problems, problems
        self.say(f"foreign records at {sorted(self.foreign)}")

    def journal(self) -> str:
        """What the checkpoint topic holds, a line a record."""
        def line(record):
            try:
                told = json.loads(record[3])
                partitions = [[p["sequence"], p["offset"]] for p in told["partitions"]]
                return (f"{record[1]} {record[2].decode()} number {told['number']} {told['instance']} next {told['next_sequence']} "
                        f"clean {told['clean']} '{told['decision']}' {partitions}")
            except (TypeError, KeyError, ValueError):
                return f"{record[1]} {record[2]} {record[3]}"
        try:
            found, _ = log_check.records(self.world.kafka.servers, self.checkpoints, "read_uncommitted", 20)
            return "\n".join(map(line, found))
        except Exception as problem:
            return f"not read: {problem}"

    def end(self):
        for program in [*self.lives, *self.exchanges]:
            program.end()

    def save(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        over = [f"== life {n + 1}, running\n{life.errors()}" for n, life in enumerate(self.lives) if life.alive()]
        for n, log in enumerate(self.logs + over):
            (folder / f"{self.name}-{n + 1}.log").write_text(log)
        for n, exchange in enumerate(self.exchanges):
            (folder / f"{self.name}-exchange-{n + 1}.log").write_text(exchange.errors())
        (folder / f"{self.name}-checkpoints").write_text(self.journal())
        (folder / f"{self.name}-notes").write_text("\n".join(self.notes) + "\n" + getattr(self, "details", ""))


class World:
    """What all scenarios share."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-fault-files-")
        self.proxies = Proxies(len(BROKERS))
        self.kafka = Cluster(self.proxies)
        self.expectations = {}

    def file(self, messages: int) -> pathlib.Path:
        path = pathlib.Path(self.folder.name) / f"{messages}.itch"
        return path if path.exists() else harness.generate(path, messages, 7)

    def expectation(self, messages: int) -> log_check.Expectation:
        if messages not in self.expectations:
            self.expectations = {messages: log_check.Expectation(self.file(messages))}  # one at a time: they are large
        return self.expectations[messages]

    def heal(self):
        self.proxies.heal()
        self.kafka.heal()

    def end(self):
        self.kafka.end()
        self.proxies.end()
        self.folder.cleanup()


def python_with_kafka() -> str:
    return subprocess.run([ROOT / "tests/check/venv.sh"], capture_output=True, text=True, check=True).stdout.split()[-1]
