"""Questions, one benchmark each: what does each way of using tickbridge cost beside the others?

    bench/questions                                  all of them, on one real broker; 5 rounds of 4,000,000 messages (an hour)
    bench/questions --quick                          1 round of 500,000 messages (under 10 minutes): is it all there?
    bench/questions --only transport,workers --broker embedded --rounds 9
    bench/questions --only micro                     the questions about one step only

The values of a question take turns, forwards and backwards, so that a machine whose speed drifts treats them alike. Tables, figures
and a plot go to docs/benchmarks/ under the day's date (--output)."""
import argparse
import contextlib
import pathlib
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "compare"))

import answers  # noqa: E402
import daemon  # noqa: E402
import micro  # noqa: E402
import questions  # noqa: E402
from measure import measure  # noqa: E402
from world import ROOT, Broker  # noqa: E402


def arguments():
    steps = micro.all_of_them()
    known = {question.name: question for question in [*steps, *questions.all_of_them()]}
    parser = argparse.ArgumentParser(prog="bench/questions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true", help="the questions")
    parser.add_argument("--only", help="some of micro, " + ", ".join(known))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--messages", type=int)
    parser.add_argument("--broker", choices=["embedded", "kafka1", "kafka3"], default="kafka1")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.messages = options.messages or (500_000 if options.quick else 4_000_000)
    words = options.only.replace("micro", ",".join(step.name for step in steps)).split(",") if options.only else list(known)
    for word in words:
        if word not in known:
            parser.error(f"--only {word}: there is {', '.join(known)}")
    options.questions = [known[word] for word in words]
    return options


def say(text: str):
    print(text, flush=True)


class Brokers:
    """Started when first asked for, with a run that does not count: a JVM is slow at first."""

    def __init__(self, sessions: daemon.Sessions, stack: contextlib.ExitStack):
        self.sessions, self.stack, self.running = sessions, stack, {}

    def of(self, kind: str) -> Broker:
        if kind not in self.running:
            self.running[kind] = self.stack.enter_context(Broker(kind))
            measure(daemon.Daemon("warm-up"), self.sessions.of(daemon.Daemon("warm-up")), self.running[kind])
        return self.running[kind]


def ask(question, options, sessions, brokers):
    if isinstance(question, micro.Micro):
        return micro.ask(question, options)
    kind = question.broker or options.broker
    answer = answers.Answer(question, kind)
    for turn in range(options.rounds):
        for value in question.values if turn % 2 == 0 else reversed(question.values):
            if value.name in answer.missing:
                continue
            try:
                sample = measure(value, sessions.of(value), brokers.of(value.broker or kind))
            except (RuntimeError, AssertionError) as problem:
                say(f"  {value.name}: failed: {problem}")
                answer.missing[value.name] = str(problem).splitlines()[0]
                continue
            answer.add(value.name, sample)
            say(f"  round {turn + 1}  {value.name:34} {sample.flowing_ns:7,.0f} ns  {sample.flowing_rate:11,.0f} a second  "
                f"{sample.peak:5,.0f} MiB  lost {sample.lost:,}, start {sample.start_wall:.2f} s, {sample.start_cpu * 1e3:.0f} ms CPU")
    answer.runs = {value.name: answer.runs[value.name] for value in question.values if value.name in answer.runs}
    return answer


def main() -> int:
    options = arguments()
    if options.list:
        for question in options.questions:
            say(f"{question.name:14} {question.text}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that brokers and exchanges end too
    page = answers.Page()
    with tempfile.TemporaryDirectory(prefix="tickbridge-questions-") as folder, contextlib.ExitStack() as stack:
        sessions = daemon.Sessions(pathlib.Path(folder), options.messages)
        brokers = Brokers(sessions, stack)
        for question in options.questions:
            say(f"{question.name}: {question.text}")
            page.answers.append(ask(question, options, sessions, brokers))
            say("\n" + page.answers[-1].section() + "\n")
    page.save(options.output)
    say(f"saved in {options.output}/{page.name}.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
