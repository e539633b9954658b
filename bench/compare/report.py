"""Tables, plots and figures of a comparison."""
import json
import os
import pathlib
import platform
import statistics
import subprocess
import time

from world import CACHE, ROOT

FLOORS = {"floor": "batch calls", "floor-single": "single calls"}
DESIGNED = {("floor", "embedded"): 235, ("floor", "kafka1"): 310, ("floor-single", "embedded"): 290,
            ("floor-single", "kafka1"): 380}  # ns a message, on the machine of the design


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {platform.system()} {platform.release()}"


def commit() -> str:
    told = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return told.stdout.strip() or "unknown"


def libraries() -> str:
    """What stands between a contender and the figures."""
    found = subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True).stdout.strip()
    kafka = next(iter(sorted(pathlib.Path(os.environ.get("KAFKA_HOME", "/nowhere")).glob("libs/kafka-clients-*.jar"))), None)
    kafka = kafka or next(iter(sorted(CACHE.glob("kafka-*/libs/kafka-clients-*.jar"))), None)
    return (f"librdkafka {found}; Kafka {kafka.stem.removeprefix('kafka-clients-') if kafka else '?'}, JVM "
            f"{os.environ.get('TICKBRIDGE_KAFKA_JVM', 'first compiler only')}, logs in {os.environ.get('TMPDIR', '/tmp')}")


class Results:
    """{broker: {contender: [Sample]}}"""

    def __init__(self, messages: int, contenders: dict):
        self.messages, self.contenders, self.runs, self.missing = messages, contenders, {}, {}
        self.began, self.sweeps = time.strftime("%Y-%m-%d"), {}

    def swept(self, broker: str, settings: str, sample):
        self.sweeps.setdefault(broker, {})[settings] = {"cpu_ns": sample.cpu_ns, "rate": sample.rate}

    def add(self, broker: str, word: str, sample):
        self.runs.setdefault(broker, {}).setdefault(word, []).append(sample)

    def median(self, broker: str, word: str, field: str) -> float:
        return statistics.median(getattr(sample, field) for sample in self.runs[broker][word])

    def ratio(self, broker: str, word: str, base: str) -> str:
        """Median of the ratios of each round, lowest and highest: the machine's speed drifts. Beside the bare library, whose clock
        begins when it is ready, our start does not count either."""
        ours, theirs = self.runs[broker].get(word, []), self.runs[broker].get(base, [])
        field = "flowing_ns" if base in FLOORS else "cpu_ns"
        ratios = [getattr(a, field) / b.cpu_ns for a, b in zip(ours, theirs)]
        if not ratios:
            return ""
        spread = f" ({min(ratios):.2f}–{max(ratios):.2f})" if len(ratios) > 1 and word != base else ""
        return f"{statistics.median(ratios):.2f}{spread}"

    def table(self, broker: str) -> str:
        rows = ["| contender | messages a second | CPU ns a message | beside batch calls | beside single calls | beside straightforward | "
                "peak MiB | lost / doubled / out of order |", "|---|---|---|---|---|---|---|---|"]
        for word in self.runs[broker]:
            samples = self.runs[broker][word]
            ratios = [self.ratio(broker, word, base) for base in (*FLOORS, "straightforward")]
            proved = f"{max(s.lost for s in samples):,} / {max(s.doubled for s in samples):,} / {max(s.out_of_order for s in samples):,}"
            rows.append(f"| {self.contenders[word].name} | {self.median(broker, word, 'flowing_rate'):,.0f} | "
                        f"{self.median(broker, word, 'cpu_ns'):,.0f} | {' | '.join(ratios)} | "
                        f"{self.median(broker, word, 'peak'):,.0f} | {proved if samples[0].verified else f'{samples[0].lost:,} / – / –'} |")
        return "\n".join(rows)

    def page(self, broker: str) -> str:
        versions = ", ".join(f"{c.name} {c.version()}" for w, c in self.contenders.items() if w not in self.missing and c.version())
        parts = [f"# {describe(broker)}, {self.began}", f"{machine()}; commit {commit()}; {libraries()}; {versions}.",
                 f"{self.messages:,} messages of 40 bytes, 8,000 instruments (Zipf), 12 partitions, idempotent, acks=all; rounds in turn, "
                 "medians; ratios are medians of the rounds' own (lowest–highest). The peers have their own defaults but for what makes the "
                 "work the same (bench/compare/peers.py).",
                 "CPU is user + system of the contender's process, start and end included (the bare library's: from its first call on; the "
                 "ratios beside it count ours from the login at the exchange on). Messages a second: from the login (bare library: the first "
                 "call; kcat, Java, Python: the process's start; rsyslog, syslog-ng: the sending) to the end of the process, or the last arrival.",
                 "Lost, doubled, out of order: by reading the topic; the embedded broker keeps the newest records only, so there arrivals are "
                 "counted."]
        count = max(len(samples) for samples in self.runs[broker].values())
        parts += [f"{count} round(s).", self.table(broker), *self.floor_notes(broker), f"![{broker}]({self.began}-{broker}.svg)"]
        parts += [f"Not here: {self.contenders[word].name} ({why})." for word, why in self.missing.items()]
        return "\n\n".join(parts) + "\n"

    def floor_notes(self, broker: str) -> list:
        """The sweep, and whether the bare library is as cheap here as the design found it elsewhere."""
        notes = [f"The {self.contenders[word].name}: {self.contenders[word].in_flight:,} in flight, tasks of "
                 f"{self.contenders[word].task_bytes >> 10} KiB; {self.median(broker, word, 'cpu_ns'):,.0f} ns, where the design's machine "
                 f"took {DESIGNED[word, broker]}." for word in FLOORS if word in self.runs[broker] and (word, broker) in DESIGNED]
        rows = [f"| {settings} | {found['cpu_ns']:,.0f} | {found['rate']:,.0f} |" for settings, found in self.sweeps.get(broker, {}).items()]
        return [*notes, *(["\n".join(["| sweep | CPU ns | messages a second |", "|---|---|---|", *rows])] if rows else [])]

    def save(self, broker: str, folder: pathlib.Path):
        """A page, its figures, a plot."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.began}-{broker}.md"
        path.write_text(self.page(broker))
        figures = {self.contenders[word].name: [vars(sample) for sample in samples] for word, samples in self.runs[broker].items()}
        path.with_suffix(".json").write_text(json.dumps({"machine": machine(), "commit": commit(), "messages": self.messages,
                                                         "sweep": self.sweeps.get(broker, {}), "runs": figures}, indent=1) + "\n")
        self.plot(broker, folder)

    def plot(self, broker: str, folder: pathlib.Path):
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        words = sorted(self.runs[broker], key=lambda word: -self.median(broker, word, "cpu_ns"))
        names = [self.contenders[word].name for word in words]
        colours = ["#b8860b" if word in FLOORS else "#1f5fa8" if "tickbridge" in name else "#8a8a8a" for word, name in zip(words, names)]
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 0.42 * len(words) + 1.6), sharey=True)
        costs = [self.median(broker, word, "cpu_ns") for word in words]
        rates = [self.median(broker, word, "flowing_rate") / 1e6 for word in words]
        for axes, values, title, form in ((left, costs, "CPU, ns a message (less is better)", "{:,.0f}"),
                                          (right, rates, "million messages a second (more is better)", "{:.2f}")):
            axes.bar_label(axes.barh(names, values, color=colours), [form.format(v) for v in values], padding=3, fontsize=8)
            axes.set_title(title, fontsize=10)
            axes.set_xlim(0, max(values) * 1.18)
            axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle(f"{describe(broker)}, {self.began}, {machine().split(',')[0]}", fontsize=9)
        figure.tight_layout()
        for kind in ("png", "svg"):
            figure.savefig(folder / f"{self.began}-{broker}.{kind}", dpi=130)
        pyplot.close(figure)


def describe(broker: str) -> str:
    return "Embedded broker" if broker == "embedded" else f"Apache Kafka, {broker.removeprefix('kafka')} broker(s)"
