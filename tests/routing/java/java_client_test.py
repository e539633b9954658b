#!/usr/bin/env python3
"""Compares our murmur2 and partitions with those of Apache Kafka's Java client itself, for random keys.

Usage: java_client_test.py OURS [--seed N]        OURS: the program made from ours.cc

The client's jar is the one that tools/kafka fetches (or KAFKA_HOME's). Exits 77 (skipped) only if there is no Java with
a compiler, or no way to get the jar.
"""
import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys

VERSION = "4.1.0"
COUNT = 10_000
HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]


def cache() -> pathlib.Path:
    """Where tools/kafka keeps what it has fetched."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tickbridge"


def classpath() -> str | None:
    """The client's jar with what it needs; fetched by tools/kafka where missing."""
    home = os.environ.get("KAFKA_HOME")
    libs = pathlib.Path(home) / "libs" if home else cache() / f"kafka-{VERSION}" / "libs"
    if not list(libs.glob("kafka-clients-*.jar")):
        subprocess.run([ROOT / "tools" / "kafka", "prepare"], stdout=subprocess.DEVNULL, timeout=240, check=False)
    return f"{libs}/*" if list(libs.glob("kafka-clients-*.jar")) else None


def can_compile() -> bool:
    """Running a source file needs the compiler's module, which Debian's headless JRE has."""
    if not shutil.which("java"):
        return False
    modules = subprocess.run(["java", "--list-modules"], capture_output=True, text=True, timeout=60, check=False)
    return "jdk.compiler" in modules.stdout


def random_keys(rng: random.Random) -> list[str]:
    """Keys of 0 to 40 bytes: any bytes, symbols as on the feed, and text beyond ASCII."""
    def key() -> bytes:
        size = rng.randint(0, 40)
        kind = rng.randrange(3)
        if kind == 0:
            return rng.randbytes(size)
        if kind == 1:
            return bytes(rng.choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ.-+#0123456789") for _ in range(size))
        return "".join(chr(rng.choice((0xE4, 0x3B1, 0x4E2D, 0x1F600))) for _ in range(size)).encode()[:40]
    return [f"{key().hex()} {rng.choice((1, 2, 3, 12, 48, 128, 1000, rng.randint(1, 100_000)))}" for _ in range(COUNT)]


def answers(command: list[str], keys: list[str]) -> list[str]:
    done = subprocess.run(command, input="\n".join(keys) + "\n", capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr}")
    return done.stdout.splitlines()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    args = parser.parse_args()
    jars = classpath()
    if not jars or not can_compile():
        print("skipped: no Java with a compiler, or tools/kafka could not fetch Apache Kafka")
        return SKIPPED
    print(f"seed {args.seed}")
    keys = random_keys(random.Random(args.seed))
    ours = answers([args.ours], keys)
    theirs = answers(["java", "-cp", jars, str(HERE / "Murmur2.java")], keys)
    different = [(key, our, their) for key, our, their in zip(keys, ours, theirs, strict=True) if our != their]
    for key, our, their in different[:5]:
        print(f"key and partitions {key}: ours {our}, Java's {their}")
    print(f"compared {len(keys)} keys with the Java client, {len(different)} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
