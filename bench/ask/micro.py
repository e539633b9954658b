"""The questions about one step: a google-benchmark program each, whose repetitions take turns at random."""
import dataclasses
import json
import re
import statistics
import subprocess

from world import BIN, Broker


@dataclasses.dataclass
class Micro:
    name: str
    text: str
    program: str
    only: str = ""  # a regular expression
    into_broker: bool = False


class MicroAnswer:
    """{benchmark: [ns of each repetition]}, of the thread that works, and of the whole process where it is told."""
    missing: dict = {}

    def __init__(self, question: Micro):
        self.question, self.runs, self.whole = question, {}, {}

    def add(self, row: dict):
        name = re.sub(r"/(manual_time|real_time|repeats:\d+)", "", row["run_name"])
        self.runs.setdefault(name, []).append(1e9 / row["items_per_second"])
        if "whole_process" in row:
            self.whole.setdefault(name, []).append(row["whole_process"])

    def cost(self, name: str) -> float:
        return statistics.median(self.runs[name])

    def table(self) -> str:
        base = next(iter(self.runs))
        more = bool(self.whole)
        rows = ["| | ns | beside the first | millions a second |" + " whole process, ns |" * more, "|---|---|---|---|" + "---|" * more]
        for name, costs in self.runs.items():
            ratio = statistics.median(ours / its for ours, its in zip(costs, self.runs[base]))
            whole = f" {statistics.median(self.whole[name]):,.0f} |" if self.whole else ""
            rows.append(f"| {name} | {self.cost(name):,.1f} | {ratio:.2f} | {1e3 / self.cost(name):,.1f} |{whole}")
        return "\n".join(rows)

    def section(self) -> str:
        return f"## {self.question.name}\n\n{self.question.text} (`{self.question.program}`)\n\n{self.table()}"

    def figures(self) -> dict:
        return {"question": self.question.text, "program": self.question.program, "runs": self.runs, "whole_process": self.whole}


def ask(question: Micro, options) -> MicroAnswer:
    if not question.into_broker:
        return _ask(question, options, [])
    with Broker("embedded") as broker:
        [topic] = broker.topics()
        return _ask(question, options, [broker.servers, topic])


def _ask(question: Micro, options, words: list) -> MicroAnswer:
    command = [BIN / question.program, *words, f"--benchmark_filter={question.only or '.'}", "--benchmark_format=json",
               f"--benchmark_repetitions={options.rounds}", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_min_time={0.1 if options.quick else 0.5}"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    answer = MicroAnswer(question)
    rows = [row for row in json.loads(done.stdout)["benchmarks"] if row["run_type"] == "iteration"]
    for row in sorted(rows, key=lambda row: (row["family_index"], row["per_family_instance_index"], row["repetition_index"])):
        answer.add(row)
    return answer


def all_of_them() -> list:
    return [
        Micro("ring", "What does a piece of so many bytes cost from one end of the ring to the other? (Two threads: wall time)",
              "ring_bench"),
        Micro("inflate", "What does inflating cost a message, in packets of 30?", "codec_bench", "Inflate"),
        Micro("validation", "What do ITCH validation, cutting and splitting cost a message?", "codec_bench", "Check|Cut|Split"),
        Micro("routing", "What does a message's key and partition cost?", "routing_bench"),
        Micro("commit", "What do decoding and committing cost a message, without the client library? (partitions/instruments)",
              "commit_bench"),
        Micro("hand-over", "What does a record's hand-over to the client library cost, by its form?", "hand_over_bench",
              into_broker=True),
    ]
