"""How long a message takes: from its arrival in the socket to the hand-over, and to Kafka's acknowledgement.

    bench/latency                                 kafka1 and embedded; 10 k, 100 k, 500 k a second, the opening bell (an hour)
    bench/latency --quick                         kafka1, 100 k a second, 1 round (under 3 minutes)
    bench/latency --brokers kafka1 --loads 100k,bell --only low-latency,floor-low --rounds 5

The messages come by a schedule that waits for nobody (bench/paced_feed.cc); how late it was itself is told. The daemon's times are its
own histograms (/api/latency) between the end of the warm-up and the last acknowledgement. The bare library gets the same schedule from
memory, with the same settings (bench/floor.cc --rate): from its call on, and from when messages were due. The contenders take turns."""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time

import report
import session as work
import times
from world import BIN, ROOT, Broker, harness, log_check

LOADS = {"10k": (10_000, False), "100k": (100_000, False), "500k": (500_000, False), "bell": (10_000, True)}
PROFILES = ROOT / "config/profiles"
SETTINGS = ("message.timestamp.type=LogAppendTime",)


@dataclasses.dataclass
class Load:
    rate: int
    bursts: bool
    seconds: int
    every: int  # us
    warm_up: int = 2

    @property
    def flags(self) -> list:
        return ["--rate", self.rate, "--seconds", self.seconds, "--warm-up", self.warm_up, "--every", self.every, *(["--bursts"] if self.bursts else [])]


@dataclasses.dataclass
class Sample:
    """Histograms are {end of the bucket in ns: messages}."""
    histograms: dict
    late: dict  # of the schedule's own sender
    cpu: float  # ns a message
    source_cpu: float = 0.0  # of a core, what the sender took
    outside: list | None = None  # ms from due to the log's append time: median, 99 %, most
    verdict: str = ""


def favour(pid: int):
    """What `Nice=-15` of a systemd unit does, for all threads that there are."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), -15)


class Tickbridge:
    def __init__(self, name: str, profile: str, favoured: bool = False):
        self.name, self.profile, self.favoured = name, profile, favoured

    def measure(self, load: Load, session: work.Session, broker: Broker) -> Sample:
        topic = broker.topics(settings=SETTINGS)[0]
        sent = session.itch.with_name("sent.itch")
        settings = {"feed.default.topic": topic, "feed.default.dead_letter_topic": topic + ".dead", "checkpoint.topic": topic + ".cp"}
        source = harness.Program("source", [BIN / "paced_feed", "--file", session.itch, "--save", sent, *load.flags],
                                 stdin=harness.subprocess.PIPE)
        with source:
            settings["feed.default.port"] = source.await_text(r"listening on 127.0.0.1:(\d+)")[1]
            settings["feed.default.host"] = "127.0.0.1"
            config = (PROFILES / f"{self.profile}.toml").read_text() if self.profile else None
            with harness.Daemon(broker.servers, settings, "--exit-at-end", config=config) as daemon:
                daemon.await_feed(lambda feed: feed["messages_acknowledged"] > 0)
                if self.favoured:
                    favour(daemon.pid)
                source.await_text("measuring")
                before, cpu_before, at = daemon.get("/api/latency")[1], cpu_seconds(daemon.pid), daemon.feed()["messages_acknowledged"]
                told = json.loads(source.await_text(r"(?m)^(\{.*\})$", seconds=load.seconds + 60)[1])
                count = told["messages"] + work.INSTRUMENTS
                feed = daemon.await_feed(lambda feed: feed["messages_acknowledged"] >= count)
                after, cpu = daemon.get("/api/latency")[1], cpu_seconds(daemon.pid) - cpu_before
                source.process.stdin.close()
                assert daemon.wait(60) == 0, daemon.errors()
            source.wait(60)
        histograms = {f"to {stage.replace('_', '-')}": times.difference(json.loads(before), json.loads(after), stage)
                      for stage in ("hand_over", "acknowledgement")}
        sample = Sample(histograms, dict(told["late"]), cpu / (feed["messages_acknowledged"] - at) * 1e9, told["cpu_s"] / load.seconds)
        self.prove(sample, sent, broker, topic)
        return sample

    @staticmethod
    def prove(sample: Sample, sent: pathlib.Path, broker: Broker, topic: str):
        """The embedded broker keeps the newest only: there, the acknowledged are counted."""
        if broker.kind == "embedded":
            return
        with harness.Verifier(sent, broker.servers, topic, "--timeout", 60, follow=False) as verifier:
            sample.verdict = verifier.verdict(600)
        assert harness.EXACT in sample.verdict, sample.verdict
        sample.outside = times.from_outside(broker.servers, topic, log_check)


class Floor:
    """The bare library with the profile's settings of the producer. `call`: as the profile's timestamps are handed over."""

    def __init__(self, name: str, call: str, favoured: bool = False, **properties):
        self.name, self.call, self.favoured, self.properties = name, call, favoured, properties

    def measure(self, load: Load, session: work.Session, broker: Broker) -> Sample:
        topic = broker.topics(settings=SETTINGS)[0]
        properties = [word for name, value in self.properties.items() for word in ("-X", f"{name.replace('_', '.')}={value}")]
        with harness.Program("floor", [BIN / "floor", "--file", session.itch, "--bootstrap", broker.servers, "--topic", topic,
                                       "--call", self.call, *load.flags, *properties]) as floor:
            if self.favoured:
                time.sleep(1)  # its threads are there
                favour(floor.pid)
            assert floor.wait(load.seconds + 120) == 0, floor.errors()
            told = json.loads(floor.output().splitlines()[-1])
        assert broker.kind == "embedded" or broker.arrived(topic) == told["messages"]
        histograms = {"to acknowledgement": dict(told["from_hand_over"]), "from due": dict(told["from_due"])}
        return Sample(histograms, dict(told["late"]), told["cpu_s"] / told["messages"] * 1e9)


CONTENDERS = {
    "default": Tickbridge("tickbridge, defaults", ""),
    "low-latency": Tickbridge("tickbridge, low-latency", "low-latency"),
    "low-latency-nice": Tickbridge("tickbridge, low-latency, Nice=-15", "low-latency", favoured=True),
    "throughput": Tickbridge("tickbridge, throughput", "throughput"),
    "floor": Floor("bare library, linger 5", "single", linger_ms=5),
    "floor-low": Floor("bare library, linger 1", "single", linger_ms=1),
    "floor-nice": Floor("bare library, linger 1, Nice=-15", "single", favoured=True, linger_ms=1),
}


def cpu_seconds(pid: int) -> float:
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def say(text: str):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="bench/latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--brokers", help="some of embedded,kafka1,kafka3")
    parser.add_argument("--loads", help="some of " + ",".join(LOADS))
    parser.add_argument("--only", help="some of " + ",".join(CONTENDERS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, default=5, help="of measuring a run")
    parser.add_argument("--every", type=int, default=50, help="us: what is due within them comes together; 0: each message by itself")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    options.brokers = (options.brokers or ("kafka1" if options.quick else "kafka1,embedded")).split(",")
    options.loads = (options.loads or ("100k" if options.quick else ",".join(LOADS))).split(",")
    options.only = (options.only or ("low-latency,floor-low" if options.quick else ",".join(CONTENDERS))).split(",")
    options.rounds = options.rounds or (1 if options.quick else 3)
    for given, known in ((options.brokers, ("embedded", "kafka1", "kafka3")), (options.loads, LOADS), (options.only, CONTENDERS)):
        for word in given:
            if word not in known:
                parser.error(f"{word}: there is {', '.join(known)}")
    if os.geteuid() != 0:  # or CAP_SYS_NICE, which nobody has at a prompt
        left = [word for word in options.only if not CONTENDERS[word].favoured]
        if left != options.only:
            say("not as root: without those with Nice=-15")
        options.only = left
    return options


def run(options, session, results):
    for kind in options.brokers:
        with Broker(kind) as broker:
            say(report.describe(kind))
            for word in options.loads:
                load = Load(*LOADS[word], options.seconds, options.every)
                for number in range(options.rounds):
                    for name in options.only if number % 2 == 0 else reversed(options.only):
                        sample = CONTENDERS[name].measure(load, session, broker)
                        results.add(kind, word, name, sample)
                        say(f"  {word:5} round {number + 1}  {CONTENDERS[name].name:26} {times.line(sample)}")


def main() -> int:
    options = arguments()
    results = times.Results({word: contender.name for word, contender in CONTENDERS.items()}, options.seconds)
    with tempfile.TemporaryDirectory(prefix="tickbridge-latency-") as folder:
        session = work.make(pathlib.Path(folder), 200_000, 1)
        run(options, session, results)
    results.save(options.output)
    say("\n" + results.page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
