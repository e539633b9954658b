"""Every contender on the same work, in one run.

    bench/run                              brokers embedded, kafka1, kafka3; 5 rounds of 4,000,000 messages (an hour)
    bench/run --quick                      kafka1; 2 rounds of 1,000,000 messages (under 5 minutes)
    bench/run --brokers kafka1 --only send,exchange,floor,straightforward --rounds 9

The contenders take turns, so that a machine whose speed drifts treats them alike, forwards and backwards. A page with the
table and the plot goes to docs/benchmarks/ under the day's date and the broker (--output). The floor, the bare library, is first looked for in a sweep, which is printed."""
import argparse
import pathlib
import sys
import tempfile
import time

import peers
import report
import session as work
from measure import measure
from world import ROOT, Broker

SWEEP = [(in_flight, task) for in_flight in (20_000, 50_000, 200_000) for task in (65_536, 131_072, 262_144)]


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--brokers", help="some of embedded,kafka1,kafka3")
    parser.add_argument("--only", help="some of " + ",".join(peers.all_of_them()))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--messages", type=int, help="a multiple of 1,000,000, or less than that")
    parser.add_argument("--no-sweep", action="store_true", help="the bare library with the settings that were best before")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    options.brokers = (options.brokers or ("kafka1" if options.quick else "embedded,kafka1,kafka3")).split(",")
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.messages = options.messages or (1_000_000 if options.quick else 4_000_000)
    known = peers.all_of_them()
    words = options.only.split(",") if options.only else list(known)
    for word in words:
        if word not in known:
            parser.error(f"--only {word}: there is {', '.join(known)}")
    if options.messages > 1_000_000 and options.messages % 1_000_000:
        parser.error("--messages: a multiple of 1,000,000, or less than that")
    for broker in options.brokers:
        if broker not in ("embedded", "kafka1", "kafka3"):
            parser.error(f"--brokers {broker}: there is embedded, kafka1, kafka3")
    options.contenders = {word: known[word] for word in words}
    return options


def say(text: str):
    print(text, flush=True)


def sweep(options, session, broker, results):
    """The bare library at its best: settings differ by machine and broker."""
    for word in report.FLOORS:
        floor = options.contenders.get(word)
        if floor is None or options.no_sweep:
            continue
        found = []
        for in_flight, task_bytes in SWEEP[::4] if options.quick else SWEEP:
            trial = peers.Floor(floor.name, floor.call, in_flight, task_bytes)
            sample = min((measure(trial, session, broker) for _ in range(1 if options.quick else 2)), key=lambda s: s.cpu)
            found.append((sample.cpu, in_flight, task_bytes))
            results.swept(broker.kind, f"{floor.name}: {in_flight:,} in flight, tasks of {task_bytes >> 10} KiB", sample)
            say(f"  sweep, {floor.name}: {in_flight:,} in flight, tasks of {task_bytes >> 10} KiB: "
                f"{sample.cpu_ns:.0f} ns, {sample.rate:,.0f} a second")
        _, floor.in_flight, floor.task_bytes = min(found)


def warm_up(options, session, broker, results):
    """A broker's compiler has seen its work before anybody is measured."""
    first = next((contender for word, contender in options.contenders.items() if word not in results.missing), None)
    if broker.kind != "embedded" and first:
        for _ in range(2):
            measure(first, session, broker)


def compare(options, session, results):
    for kind in options.brokers:
        with Broker(kind) as broker:
            say(report.describe(kind))
            warm_up(options, session, broker, results)
            sweep(options, session, broker, results)
            for number in range(options.rounds):
                words = [word for word in options.contenders if word not in results.missing]
                for word in words if number % 2 == 0 else reversed(words):
                    began = time.monotonic()
                    try:
                        sample = measure(options.contenders[word], session, broker)
                    except (RuntimeError, AssertionError, ValueError, OSError) as problem:
                        say(f"  {options.contenders[word].name}: failed: {problem}")
                        results.missing[word] = (str(problem) or repr(problem)).splitlines()[0]
                        continue
                    results.add(kind, word, sample)
                    say(f"  round {number + 1}  {options.contenders[word].name:34} {sample.cpu_ns:7,.0f} ns  "
                        f"{sample.rate:11,.0f} a second  {sample.peak:5,.0f} MiB  lost {sample.lost:,}  "
                        f"({time.monotonic() - began:.0f} s)")
        if kind in results.runs:
            results.save(kind, options.output)
            say(f"\n{results.page(kind)}\nsaved in {options.output}")


def main() -> int:
    options = arguments()
    results = report.Results(options.messages, options.contenders)
    for word, contender in options.contenders.items():
        try:
            contender.prepare()
        except peers.Missing as why:
            say(f"without {contender.name}: {why}")
            results.missing[word] = str(why)
    with tempfile.TemporaryDirectory(prefix="tickbridge-bench-") as folder:
        in_file = min(options.messages, 1_000_000)
        say(f"{options.messages:,} messages, {options.rounds} round(s)")
        session = work.make(pathlib.Path(folder), in_file, max(1, options.messages // in_file))
        compare(options, session, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
