"""What came out: tables, a page, a plot."""
import json
import pathlib
import statistics
import tempfile
import time

import report


class Answer:
    """Of one question: {value's name: [Sample of each round]}, and what failed."""

    def __init__(self, question, broker: str):
        self.question, self.broker, self.runs, self.missing = question, broker, {}, {}

    def add(self, name: str, sample):
        self.runs.setdefault(name, []).append(sample)

    def cost(self, name: str) -> float:
        return self.median(lambda ns: ns, name)

    def ratio(self, name: str, base: str) -> float:
        return self.median(lambda ours, its: ours / its, name, base)

    def median(self, figure, *names) -> float:
        """Of what each round says (the machine's speed drifts), from these values' ns of CPU a message."""
        rounds = zip(*(self.runs[name] for name in names))
        return statistics.median(figure(*(sample.flowing_ns for sample in samples)) for samples in rounds)

    def row(self, name: str, base: str) -> str:
        samples = self.runs[name]
        middle = lambda field: statistics.median(getattr(sample, field) for sample in samples)  # noqa: E731
        return (f"| {name} | {self.cost(name):,.0f} | {self.ratio(name, base):.2f} | {middle('flowing_rate'):,.0f} | "
                f"{middle('peak'):,.0f} | {self.verified(samples)} |")

    @staticmethod
    def verified(samples: list) -> str:
        lost, doubled, out_of_order = (max(getattr(s, field) for s in samples) for field in ("lost", "doubled", "out_of_order"))
        if not all(sample.verified for sample in samples):
            return "arrivals counted" if lost == 0 else f"{lost:,} did not arrive"
        return "exact" if lost == doubled == out_of_order == 0 else f"lost {lost:,}, doubled {doubled:,}, out of order {out_of_order:,}"

    def table(self) -> str:
        base = self.question.base if self.question.base in self.runs else next(iter(self.runs))
        rows = [f"| | CPU ns a message | beside {base} | messages a second | peak MiB | verified |", "|---|---|---|---|---|---|"]
        return "\n".join(rows + [self.row(name, base) for name in self.runs])

    def section(self) -> str:
        counts = {sample.messages for samples in self.runs.values() for sample in samples}
        if not counts:
            return f"## {self.question.name}\n{self.question.text}\n\n{self.failures()}"
        told = f"{min(counts):,}" if len(counts) == 1 else f"{min(counts):,} to {max(counts):,}"
        rounds = max(len(samples) for samples in self.runs.values())
        where = "" if any(value.broker for value in self.question.values) else report.describe(self.broker) + ", "
        parts = [f"## {self.question.name}", f"{self.question.text} ({where}{told} messages, {rounds} round(s))",
                 self.table(), self.question.conclusion(self), self.failures()]
        return "\n\n".join(part for part in parts if part)

    def failures(self) -> str:
        return "\n".join(f"Not here: {name} ({why})." for name, why in self.missing.items())

    def figures(self) -> dict:
        return {"question": self.question.text, "broker": self.broker, "missing": self.missing,
                "runs": {name: [vars(sample) for sample in samples] for name, samples in self.runs.items()}}


class Page:
    """All answers of a run."""

    def __init__(self):
        self.answers, self.name = [], time.strftime("%Y-%m-%d") + "-questions"

    def text(self) -> str:
        head = (f"# {self.name}\n\n{report.machine()}; commit {report.commit()}.\n\nIf the question is not about it: 40-byte ITCH "
                "messages, 8,000 instruments (Zipf), 12 partitions, one feed, send timestamps, `exactly_once`. Rounds in turn, medians; "
                "ratios are medians of the rounds' own. CPU is user + system of the whole process from the first login to the exchange on, "
                "end included, and so are the messages a second. Arrivals are counted on the embedded broker, the topics read and "
                f"compared on Kafka, whose logs lie in {tempfile.gettempdir()}.\n\n"
                f"![all]({self.name}.svg)")
        return "\n\n".join([head, *(answer.section() for answer in self.answers)]) + "\n"

    def save(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(self.text())
        figures = {answer.question.name: answer.figures() for answer in self.answers}
        (folder / f"{self.name}.json").write_text(
            json.dumps({"machine": report.machine(), "commit": report.commit(), "questions": figures}, indent=1) + "\n")
        self.plot(folder)

    def plot(self, folder: pathlib.Path):
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        shown = [answer for answer in self.answers if answer.runs]
        if not shown:
            return
        columns = min(4, len(shown))
        rows = -(-len(shown) // columns)
        figure, grid = pyplot.subplots(rows, columns, figsize=(4.2 * columns, 2.6 * rows), squeeze=False)
        for axes, answer in zip(grid.flat, shown):
            costs = [answer.cost(name) for name in answer.runs]
            bars = axes.barh(list(answer.runs), costs, color="#1f5fa8")
            axes.bar_label(bars, [f"{cost:,.0f}" for cost in costs], padding=2, fontsize=7)
            axes.set_xlim(0, max(costs) * 1.2)
            axes.invert_yaxis()
            axes.set_title(answer.question.name, fontsize=9)
            axes.tick_params(labelsize=7)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in list(grid.flat)[len(shown):]:
            axes.axis("off")
        figure.suptitle(f"CPU, ns a message (less is better); {self.name}, {report.machine().split(',')[0]}", fontsize=9)
        figure.tight_layout()
        for kind in ("png", "svg"):
            figure.savefig(folder / f"{self.name}.{kind}", dpi=110)
        pyplot.close(figure)
