"""One run of one contender: what it took, and whether the topic holds what it must."""
import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time

import session as work
from world import PARTITIONS, Broker, harness, log_check

STANDS_STILL = 20  # seconds without a message more: it will not come
TOO_LONG = 300  # seconds of a run


@dataclasses.dataclass
class Sample:
    wall: float  # seconds, from the start of the process (of those that stay: of the sending) to the last message's arrival
    cpu: float  # seconds, user and system, of the whole process
    peak: float  # MiB
    messages: int
    start_wall: float = 0  # of these, before the first exchange was logged in to
    start_cpu: float = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    verified: bool = False

    @property
    def cpu_ns(self) -> float:
        return self.cpu / self.messages * 1e9

    @property
    def rate(self) -> float:
        return self.messages / self.wall

    @property
    def flowing_ns(self) -> float:
        """The CPU of a message without the start."""
        return (self.cpu - self.start_cpu) / self.messages * 1e9

    @property
    def flowing_rate(self) -> float:
        return self.messages / (self.wall - self.start_wall)


class Run:
    """A contender's surroundings."""

    def __init__(self, contender, session: work.Session, broker: Broker):
        self.session, self.broker = session, broker
        self.topics = broker.topics(contender.feeds, contender.partitions, contender.topic_settings)
        self.topic = self.topics[0]
        if contender.round_trip:
            broker.process.tell(f"rtt 1 {contender.round_trip}")
        self.servers = broker.servers
        self.temporary = tempfile.TemporaryDirectory(prefix="tickbridge-bench-")
        self.folder = pathlib.Path(self.temporary.name)
        self.exchanges, self.opened, self.port = [], [], None
        self.feed = work.LineFeed(session) if contender.lines else None

    def exchange(self, *flags):
        self.exchanges.append(harness.Exchange("--file", self.session.itch, "--loop", self.session.loops, "--encode-first", *flags))
        return self.exchanges[-1]

    def end(self):
        for program in self.exchanges:
            program.end()
        for connection in self.opened:
            connection.close()
        if self.feed:
            self.feed.end()
        self.temporary.cleanup()


class Watch(threading.Thread):
    """Looks at a process while it works: its highest resident size, MiB (its rusage begins with what the one that started it had),
    and what it had taken when the first exchange was logged in to."""

    def __init__(self, process, exchanges: list):
        super().__init__(daemon=True)
        self.status, self.peak = pathlib.Path(f"/proc/{process.pid}/status"), 0.0
        self.clock, self.exchanges = ~process.pid << 3 | 2, exchanges  # clock_getcpuclockid(3)
        self.began, self.start_wall, self.start_cpu = time.monotonic(), 0.0, 0.0
        self.start()

    def run(self):
        while True:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self.status.read_text())
                if not self.start_wall and any("asked for session" in exchange.errors() for exchange in self.exchanges):
                    self.start_wall, self.start_cpu = time.monotonic() - self.began, time.clock_gettime(self.clock)
            except OSError:
                return
            if not found:  # it has ended
                return
            self.peak = int(found[1]) / 1024
            time.sleep(0.02 if self.start_wall or not self.exchanges else 0.005)


def await_port(port: int, process, told: pathlib.Path, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        rows = pathlib.Path("/proc/net/tcp").read_text().splitlines()
        if any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows[1:]):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on port {port}: {told.read_text(errors='replace')[-1000:]}")


def await_arrival(run: Run, process) -> float:
    """Until all has arrived, or nothing more does: the time at which the last had."""
    from confluent_kafka import TopicPartition

    client = log_check.consumer(run.servers, "read_uncommitted")
    seen, since = -1, time.monotonic()
    while seen < run.session.total and time.monotonic() - since < STANDS_STILL:
        count = sum(client.get_watermark_offsets(TopicPartition(run.topic, n), timeout=20)[1] for n in range(PARTITIONS))
        if process.poll() is not None:
            raise RuntimeError(f"it left with {process.returncode}")
        if count != seen:
            seen, since = count, time.monotonic()
        time.sleep(0.1)
    client.close()
    return since


def measure(contender, session: work.Session, broker: Broker) -> Sample:
    run = Run(contender, session, broker)
    try:
        command = [str(word) for word in contender.command(run)]
        told = run.folder / "told"
        with open(told, "wb") as output:
            began = time.monotonic()
            process = subprocess.Popen(command, stdin=contender.stdin(run), stdout=output, stderr=subprocess.STDOUT,
                                       env={**os.environ, **contender.environment})
        watch = Watch(process, run.exchanges)
        if contender.stays:
            await_port(run.port, process, told)
            began = time.monotonic()
            run.feed.send_to(run.port)
            wall = await_arrival(run, process) - began
            process.terminate()
        end = threading.Timer(TOO_LONG, process.kill)
        end.daemon = True  # an interrupted run does not wait for it
        end.start()
        _, status, usage = os.wait4(process.pid, 0)
        end.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if not contender.stays:
            wall = time.monotonic() - began
            if process.returncode:
                raise RuntimeError(f"exit {process.returncode}\n{told.read_text(errors='replace')[-2000:]}")
        sample = Sample(wall, usage.ru_utime + usage.ru_stime, watch.peak, session.total * contender.feeds, watch.start_wall,
                        watch.start_cpu)
        for name, value in contender.own_figures(told.read_text(errors="replace")).items():
            setattr(sample, name, value)
        prove(contender, run, sample)
        return sample
    finally:
        run.end()


# --- the proof ---


def prove(contender, run: Run, sample: Sample):
    """The embedded broker keeps the newest only: there, arrivals are counted."""
    if run.broker.kind == "embedded":
        sample.lost = sample.messages - sum(run.broker.arrived(topic) for topic in run.topics)
        return
    for topic in run.topics:
        if contender.lines:
            prove_lines(run, sample)
        else:
            prove_itch(run, sample, topic)
    sample.verified = True


def prove_itch(run: Run, sample: Sample, topic: str):
    words = ["--loop", run.session.loops, "--timeout", 60]
    with harness.Verifier(run.session.itch, run.servers, topic, *words, follow=False) as verifier:
        verdict = verifier.verdict(600)
        found = re.search(r"lost (\d+) duplicated (\d+) out_of_order (\d+) altered (\d+)", verdict)
        if not found:
            raise RuntimeError(f"no verdict: {verdict}\n{verifier.errors()}")
        lost, doubled, out_of_order, altered = (int(number) for number in found.groups())
        sample.lost += lost + altered
        sample.doubled += doubled
        sample.out_of_order += out_of_order


def prove_lines(run: Run, sample: Sample):
    """By the numbers in the lines: how often each is there, and in order by partition (a key's are in one)."""
    from confluent_kafka import TopicPartition

    ends = log_check.ends(run.servers, run.topic)
    client = log_check.consumer(run.servers, "read_committed")
    client.assign([TopicPartition(run.topic, partition, 0) for partition in range(PARTITIONS)])
    counts, last, left, heard = bytearray(run.session.messages), {}, sum(ends.values()), time.monotonic()
    while left > 0:
        messages = [m for m in client.consume(20_000, 0.2) if not m.error()]
        heard = time.monotonic() if messages else heard
        if time.monotonic() - heard > STANDS_STILL:
            break
        left -= len(messages)
        for message in messages:
            number, key = int(message.value()[-(work.SIZE - 5):]), message.key()
            position = counts[number] * run.session.messages + number  # a message comes once a loop
            counts[number] += 1
            sample.out_of_order += position < last.get(key, -1)
            last[key] = position
    client.close()
    loops = run.session.loops
    sample.lost = sum(loops - count for count in counts if count < loops)
    sample.doubled = sum(count - loops for count in counts if count > loops)
