"""Histograms of latency: subtracted, added, put into tables and plots. A histogram is {end of the bucket in ns: messages}."""
import collections
import json
import math
import pathlib
import statistics
import time

import report

BASES = {"default": "floor", "low-latency": "floor-low", "low-latency-nice": "floor-nice"}  # the bare library with the same settings
SHARES = {"median": 0.5, "99 %": 0.99, "99.9 %": 0.999, "most": 1.0}


def difference(before: dict, after: dict, stage: str, feed: str = "default") -> dict:
    earlier = dict(before[feed][stage])
    return {end: count - earlier.get(end, 0) for end, count in after[feed][stage] if count > earlier.get(end, 0)}


def quantile(histogram: dict, share: float) -> float:
    """Microseconds that `share` of all messages did not exceed."""
    wanted, seen = math.ceil(share * sum(histogram.values())), 0
    for end in sorted(histogram):
        seen += histogram[end]
        if seen >= wanted:
            return end / 1000
    return math.nan


def added(histograms) -> dict:
    return dict(sum(map(collections.Counter, histograms), collections.Counter()))


def short(us: float) -> str:
    return "–" if math.isnan(us) else f"{us:,.0f} µs" if us < 1000 else f"{us / 1000:,.1f} ms"


def figures(histogram: dict) -> str:
    return " / ".join(short(quantile(histogram, share)) for share in SHARES.values())


def line(sample) -> str:
    parts = [f"{name} {figures(histogram)}" for name, histogram in sample.histograms.items()]
    parts.append(f"sender late {figures(sample.late)}")
    parts.append(f"CPU {sample.cpu:,.0f} ns")
    if sample.source_cpu:
        parts.append(f"sender's {sample.source_cpu:.0%}")
    if sample.outside:
        parts.append("outside {:.0f}/{:.0f}/{:.0f} ms".format(*sample.outside))
    return ", ".join(parts)


def from_outside(servers: str, topic: str, log_check, most: int = 5_000) -> list:
    """Of each partition's newest records, ms from the time in the message (when it was due) to the broker's append time."""
    from confluent_kafka import TopicPartition

    ends = {partition: end for partition, end in log_check.ends(servers, topic).items() if end}
    client = log_check.consumer(servers, "read_uncommitted")
    client.assign([TopicPartition(topic, partition, max(0, end - most)) for partition, end in ends.items()])
    left, found = sum(min(most, end) for end in ends.values()), []
    while left > 0:
        for message in client.consume(10_000, 1):
            left -= not message.error()
            due_ms = int.from_bytes(message.value()[5:11], "big") / 1e6
            if not message.error() and message.value()[:1] == b"F":
                found.append(message.timestamp()[1] % 86_400_000 - due_ms)
    client.close()
    found.sort()
    return [found[len(found) // 2], found[len(found) * 99 // 100], found[-1]]


class Results:
    """{broker: {load: {contender: [Sample]}}}"""

    def __init__(self, names: dict, seconds: int):
        self.names, self.seconds, self.runs, self.began = names, seconds, {}, time.strftime("%Y-%m-%d")

    def add(self, broker: str, load: str, word: str, sample):
        self.runs.setdefault(broker, {}).setdefault(load, {}).setdefault(word, []).append(sample)

    def histogram(self, samples: list, name: str) -> dict:
        return added(sample.histograms.get(name, {}) for sample in samples)

    def table(self, broker: str) -> str:
        rows = ["| load | contender | to hand-over | to acknowledgement | beside the bare library: median, 99 % | CPU ns a message | sender late | "
                "append time − due |", "|---|---|---|---|---|---|---|---|"]
        for load, contenders in self.runs[broker].items():
            for word, samples in contenders.items():
                cpu = sum(sample.cpu for sample in samples) / len(samples)
                outside = [sample.outside for sample in samples if sample.outside]
                rows.append(" | ".join([f"| {load}", self.names[word], *(figures(self.histogram(samples, f"to {stage}")) for stage in
                            ("hand-over", "acknowledgement")), self.ratios(contenders, word), f"{cpu:,.0f}", figures(added(sample.late for sample in samples)),
                            " / ".join(f"{max(column):.0f}" for column in zip(*outside)) + " ms" if outside else "–"]) + " |")
        return "\n".join(rows)

    @staticmethod
    def ratios(contenders: dict, word: str) -> str:
        """Medians of the rounds' own."""
        name, bases = "to acknowledgement", contenders.get(BASES.get(word), [])
        pairs = [(sample.histograms[name], base.histograms[name]) for sample, base in zip(contenders[word], bases)]
        return ", ".join(f"{statistics.median(quantile(a, share) / quantile(b, share) for a, b in pairs):.2f}" for share in (0.5, 0.99)
                         ) if pairs else "–"

    def page(self) -> str:
        rounds = max(len(samples) for loads in self.runs.values() for contenders in loads.values() for samples in contenders.values())
        parts = [f"# Latency, {self.began}", f"{report.machine()}; commit {report.commit()}.",
                 f"{rounds} round(s) of {self.seconds} s in turn, added up; 40-byte messages, 8,000 instruments, 12 partitions, acks=all. Each "
                 f"field: {' / '.join(SHARES)} (to 3 %; the last: the longest's bucket). What the loads are, what is measured, from where to "
                 "where: [latency.md](../latency.md)."]
        for broker in self.runs:
            parts += [f"## {report.describe(broker)}", self.table(broker), f"![{broker}]({self.began}-latency-{broker}.svg)"]
        return "\n\n".join(parts) + "\n"

    def save(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.began}-latency.md").write_text(self.page())
        runs = {broker: {load: {self.names[word]: [vars(sample) for sample in samples] for word, samples in contenders.items()}
                         for load, contenders in loads.items()} for broker, loads in self.runs.items()}
        text = json.dumps({"machine": report.machine(), "commit": report.commit(), "seconds": self.seconds, "runs": runs}, separators=(",", ":"))
        (folder / f"{self.began}-latency.json").write_text(text + "\n")
        for broker in self.runs:
            self.plot(broker, folder)

    def plot(self, broker: str, folder: pathlib.Path):
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        loads = self.runs[broker]
        colours = dict(zip(self.names, ("#1f5fa8", "#c03a2b", "#e08070", "#2a8a5a", "#8a8a8a", "#b8860b", "#e0c060")))
        grid, rows = pyplot.subplots(len(loads), 2, figsize=(11, 3 * len(loads)), squeeze=False, sharex=True)
        for axes_row, (load, contenders) in zip(rows, loads.items()):
            for axes, name in zip(axes_row, ("to hand-over", "to acknowledgement")):
                for word, samples in contenders.items():
                    self.curve(axes, self.histogram(samples, name), self.names[word], colours[word])
                axes.set(xscale="log", yscale="log", title=f"{load}: {name}", ylabel="µs")
                axes.set_xticks([1, 10, 100, 1_000, 10_000, 100_000], ["0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"])
                axes.grid(True, which="major", alpha=0.3)
                axes.legend(fontsize=7)
        grid.suptitle(f"{report.describe(broker)}, {self.began}", fontsize=9)
        grid.tight_layout()
        for kind in ("png", "svg"):
            grid.savefig(folder / f"{self.began}-latency-{broker}.{kind}", dpi=110)
        pyplot.close(grid)

    @staticmethod
    def curve(axes, histogram: dict, name: str, colour: str):
        if not histogram:
            return
        total, seen, x, y = sum(histogram.values()), 0, [], []
        for end in sorted(histogram):
            at = total / (total - seen)
            seen += histogram[end]
            if not x or at > 1.02 * x[-1]:  # what can be seen
                x.append(at)
                y.append(end / 1000)
        axes.plot(x, y, label=name, color=colour, drawstyle="steps-post")
