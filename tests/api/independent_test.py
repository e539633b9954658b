#!/usr/bin/env python3
"""Compares include/tickbridge/itch50.h with a decoder that shares nothing with it: real data, then random messages of
every type and malformed ones. Usage: independent_test.py DUMP DATA_FOLDER [--seed N]"""
import argparse
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

# Fields behind the common header: q u64, i u32, p price(4), P price(8), c one character, 8/4/2 text of that length.
TYPES = {
    "S": "c", "R": "8ccicc2cccccic", "H": "8cc4", "Y": "8c", "L": "48ccc", "V": "PPP", "W": "c", "K": "8icp",
    "J": "8pppi", "h": "8cc", "A": "qci8p", "F": "qci8p4", "E": "qiq", "C": "qiqcp", "X": "qi", "D": "q", "U": "qqip",
    "P": "qci8pq", "Q": "q8pqc", "B": "q", "I": "qqc8pppcc", "N": "8c", "O": "8cpppqpp",
}
SIZES = {"q": 8, "i": 4, "p": 4, "P": 8, "c": 1, "8": 8, "4": 4, "2": 2}
REAL = ("nasdaq-20200130-start-of-day", "nasdaq-20200130-aapl", "nasdaq-20230822-open", "nasdaq-20230822-types",
        "bx-20230822-types", "psx-20230822-types")


def length(kind: str) -> int:
    return 11 + sum(SIZES[field] for field in TYPES[kind])


def shown(field: str, raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    if field in "qi":
        return str(number)
    if field == "p":
        return f"{number // 10**4}.{number % 10**4:04}"
    if field == "P":
        return f"{number // 10**8}.{number % 10**8:08}"
    return raw.decode("latin-1").rstrip(" ") if field != "c" else raw.decode("latin-1")


def decoded(message: bytes) -> str:
    kind = message[:1].decode("latin-1")
    if kind not in TYPES or not kind:
        return "unknown type"
    if len(message) != length(kind):
        return "wrong length"
    locate, tracking, high, low = struct.unpack(">HHHI", message[1:11])
    parts, at = [kind, str(locate), str(tracking), str(high << 32 | low)], 11
    for field in TYPES[kind]:
        parts.append(shown(field, message[at:at + SIZES[field]]))
        at += SIZES[field]
    return "|".join(parts)


def messages(data: bytes):
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        if at + 2 + size > len(data):
            return
        yield data[at + 2:at + 2 + size]
        at += 2 + size


def random_message(rng: random.Random, kind: str) -> bytes:
    body = bytearray(kind.encode() + rng.randbytes(10))
    for field in TYPES[kind]:
        size = SIZES[field]
        text = field in "c842"
        body += bytes(rng.choice(b"ABCXYZ+-. 0123456789") for _ in range(size)) if text else rng.randbytes(size)
    return bytes(body)


def random_file(rng: random.Random) -> bytes:
    made = [random_message(rng, rng.choice(list(TYPES))) for _ in range(20_000)]
    made += [b"", b"z", b"\xff" * 40]
    for kind in TYPES:
        whole = random_message(rng, kind)
        made += [whole[:-1], whole + b"\0", whole[:1], whole[:10], whole[:11]]
    return b"".join(len(m).to_bytes(2, "big") + m for m in made)


def differences(dump: str, path: pathlib.Path) -> int:
    theirs = subprocess.run([dump, path], capture_output=True, check=True, timeout=60).stdout.decode("latin-1")
    ours = [decoded(m) for m in messages(path.read_bytes())]
    lines = theirs.split("\n")[:-1]
    if len(lines) != len(ours):
        print(f"{path.name}: {len(lines)} messages instead of {len(ours)}")
        return 1
    different = [(a, b) for a, b in zip(lines, ours, strict=True) if a != b]
    for got, expected in different[:5]:
        print(f"{path.name}: got      {got}\n{path.name}: expected {expected}")
    print(f"{path.name}: {len(ours)} messages, {len(different)} differ")
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("dump")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    args = parser.parse_args()
    print(f"seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder, "random.itch")
        made.write_bytes(random_file(random.Random(args.seed)))
        found = differences(args.dump, made)
    if args.data.is_dir():
        found += sum(differences(args.dump, args.data / f"{name}.itch") for name in REAL)
    else:
        print("skipped: no real data")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
