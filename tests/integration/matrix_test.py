#!/usr/bin/env python3
"""Every shape of a feed through the whole daemon: transport x compression x payload x workers, cut at random places.

Usage: matrix_test.py [WORKERS…]   (default 1 2 4 8)
"""
import itertools
import pathlib
import random
import sys
import tempfile

import harness
from harness import Daemon, EmbeddedBroker, Exchange, Verifier

TRANSPORTS = ["3.00", "4.00", "4.1", "frames"]
COMPRESSIONS = ["none", "zlib", "zlib-stream"]
PAYLOADS = ["message", "block", "moldudp64"]
MESSAGES = 4000


def exchange_flags(transport: str, compression: str, payload: str, dice: random.Random) -> list:
    flags = ["--compression", compression, "--payload", payload, "--seed", dice.randrange(1 << 31)]
    flags += ["--transport", "frames"] if transport == "frames" else ["--soup-version", transport]
    if compression == "zlib-stream" and transport != "frames":
        flags += ["--compression-starts", dice.choice(["first-byte", "after-login"])]
    # Whole packets, or pieces of any size. (One byte at a time is cuts_test.py's.)
    return flags + dice.choice([[], ["--fault", f"slice:{dice.choice([7, 100, 3000])}"]])


def settings(transport: str, flags: list, compression: str, payload: str, workers: int, topic: str) -> dict:
    feed = {"transport": "frames" if transport == "frames" else "soupbintcp", "compression": compression,
            "payload": payload, "topic": topic, "dead_letter_topic": topic + ".dead"}
    if transport == "frames":
        feed["delivery"] = "at_most_once"
    else:
        feed["soupbintcp.version"] = transport
    if "--compression-starts" in flags:
        feed["compression_starts"] = flags[flags.index("--compression-starts") + 1]
    both = {f"feed.default.{key}": value for key, value in feed.items()}
    return {**both, "pipeline.workers": workers, "pipeline.ring_bytes": 1 << 20, "pipeline.task_bytes": 16384}


def run(case, file, broker, dice) -> str:
    number, (transport, compression, payload, workers) = case
    topic = f"t{number}"
    flags = exchange_flags(transport, compression, payload, dice)
    with Exchange("--file", file, *flags) as exchange, \
            Verifier(file, broker.servers, topic, "--partitions", 5) as verifier, \
            Daemon(broker.servers, {**settings(transport, flags, compression, payload, workers, topic),
                                    **harness.address(exchange)}, "--exit-at-end") as daemon:
        code = daemon.wait(60)
        verdict = verifier.verdict(60)
        if code != 0 or not verdict.endswith(harness.EXACT):
            print(daemon.errors(), verifier.output(), sep="\n")
            return f"daemon exits {code}; {verdict}; exchange {flags}"
    return ""


def main() -> int:
    print(f"seed {harness.SEED} (TICKBRIDGE_SEED repeats it)")
    dice = random.Random(harness.SEED)
    workers = [int(word) for word in sys.argv[1:]] or [1, 2, 4, 8]
    cases = list(enumerate(itertools.product(TRANSPORTS, COMPRESSIONS, PAYLOADS, workers)))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, \
            EmbeddedBroker({f"t{n}{end}": p for n, _ in cases for end, p in (("", 5), (".dead", 1))}) as broker:
        generated = harness.generate(pathlib.Path(folder) / "session.itch", MESSAGES)
        real = harness.real_data("nasdaq-20200130-aapl.itch")
        for case in cases:
            file = dice.choice([generated, real]) if real else generated
            problem = run(case, file, broker, dice)
            if problem:
                wrong += 1
                print(f"WRONG {case[1]}: {problem}", flush=True)
    print(f"{len(cases) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
