#!/usr/bin/env python3
"""The fault suite: what dies, whenever, the topic comes out as promised. See docs/testing.md.

    suite.py                       the short versions of all scenarios (./test)
    suite.py kills zombie          some of them
    suite.py kills:transactional   with another delivery mode
    suite.py --long                the long versions
    suite.py --list                their names

TICKBRIDGE_SEED (or --seed) repeats a run: the seed is printed with every scenario. --keep DIR: where logs go on failure.
"""
import argparse
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

import world
from world import harness


class Case:
    """One scenario's circumstances: its dice, its size, its runs."""

    def __init__(self, the_world, name, delivery, options):
        self.world, self.kafka, self.proxies = the_world, the_world.kafka, the_world.proxies
        self.name, self.delivery, self.long, self.options = name, delivery, options.long, options
        self.dice = random.Random(f"{options.seed}/{name}/{delivery}")
        self.troubles, self.over = [], False
        self.runs, self.results, self.stamp = [], [], f"{time.time_ns() % 10**10:x}"

    def size(self, name: str, short, long):
        """An amount: by option, else of the short or the long version."""
        given = getattr(self.options, name, None)
        return given if given is not None else long if self.long else short

    def run(self, messages: int, **more) -> world.Run:
        name = f"{self.name}{len(self.runs) + 1}-{self.stamp}".replace("_", "-")
        delivery = more.pop("delivery", self.delivery)
        run = world.Run(self.world, name, delivery, messages, **more)
        self.runs.append(run)
        run.say(f"{self.name}: {messages} messages, rate {run.rate}, delivery {delivery}")
        return run

    def tell(self, text: str):
        """A figure for the summary."""
        self.results.append(text)
        if self.runs:
            self.runs[-1].say(text)

    def between(self, low: float, high: float) -> float:
        return self.dice.uniform(low, high)

    def sleep(self, low: float, high: float):
        time.sleep(self.between(low, high))


def scenarios() -> dict:
    """{name: (function, deliveries of the short version, of the long one)}"""
    import crashes
    import outages
    import strangers

    return {**crashes.SCENARIOS, **outages.SCENARIOS, **strangers.SCENARIOS}


def chosen(known: dict, words: list, long: bool) -> list:
    """[(name, delivery)]"""
    if not words:
        return [(name, delivery) for name, row in known.items() for delivery in row[2 if long else 1]]
    pairs = []
    for word in words:
        name, _, delivery = word.partition(":")
        if name not in known:
            sys.exit(f"no scenario '{name}'; there are {', '.join(known)}")
        pairs += [(name, delivery)] if delivery else [(name, d) for d in known[name][2 if long else 1]]
    return pairs


def perform(the_world, function, name, delivery, options) -> bool:
    case, began = Case(the_world, name, delivery, options), time.monotonic()
    print(f"{name}:{delivery} seed {options.seed} …", flush=True)
    try:
        function(case)
        good, problem = True, ""
    except Exception:  # whatever it is, the other scenarios are worth running
        good, problem = False, traceback.format_exc()
    case.over = True
    for trouble in case.troubles:
        trouble.join(120)
    if not good:
        folder = pathlib.Path(options.keep) / f"{name}-{delivery}-{options.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for run in case.runs:
            run.save(folder)
        (folder / "problem").write_text(problem)
        print(f"{problem[-6000:]}\nlogs: {folder}", flush=True)
    for run in case.runs:
        run.end()
    the_world.heal()
    print(f"{name}:{delivery} {'ok' if good else 'FAILED'} in {time.monotonic() - began:.1f} s: {'; '.join(case.results)}",
          flush=True)
    return good


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seed", type=int, default=harness.SEED)
    parser.add_argument("--repeat", type=int, default=1, help="again and again, with seed + 1 each time")
    parser.add_argument("--keep", default=os.path.join(tempfile.gettempdir(), "tickbridge-fault-logs"))
    for name in ("kills", "messages", "seconds", "rate"):
        parser.add_argument(f"--{name}", type=int)
    return parser.parse_args(words)


def main() -> int:
    options, known = parse(sys.argv[1:]), scenarios()
    if options.list:
        for name, (function, short, long) in known.items():
            print(f"{name:16} {(function.__doc__ or '').strip().splitlines()[0]} [{', '.join(short)}; long: {', '.join(long)}]")
        return 0
    pairs, failed, began = chosen(known, options.scenario, options.long), [], time.monotonic()
    the_world = world.World()
    try:
        for _ in range(options.repeat):
            failed += [(*pair, options.seed) for pair in pairs
                       if not perform(the_world, known[pair[0]][0], *pair, options)]
            options.seed += 1
    finally:
        the_world.end()
    print(f"{len(pairs) * options.repeat - len(failed)} of {len(pairs) * options.repeat} scenarios passed in {time.monotonic() - began:.0f} s")
    for name, delivery, seed in failed:
        print(f"FAILED: TICKBRIDGE_SEED={seed} tests/fault/suite.py {name}:{delivery}{' --long' if options.long else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        import confluent_kafka  # noqa: F401
    except ImportError:
        os.execv(world.python_with_kafka(), [world.python_with_kafka(), "-W", "ignore::ResourceWarning", *sys.argv])
    sys.exit(main())
