#!/usr/bin/env python3
"""Checks that every #include in src/ is one that src/LAYERS allows. Usage: layers_test.py SRC"""
import pathlib
import re
import sys

THIRD_PARTY = {  # name in LAYERS -> how its headers begin
    "boost/system": "boost/system/", "boost/asio": "boost/asio", "boost/beast": "boost/beast",
    "boost/json": "boost/json", "zlib": "zlib.h", "libdeflate": "libdeflate.h",
    "librdkafka": "librdkafka/", "toml++": "toml++/", "CLI": "CLI/", "prometheus": "prometheus/",
    "systemd": "systemd/", "openssl": "openssl/", "date": "date/", "xxhash": "xxhash.h",
}
EVERYWHERE = ("spdlog/", "fmt/", "tickbridge/", "sys/", "linux/", "netinet/", "arpa/", "boost/system/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def layers(src: pathlib.Path) -> dict[str, tuple[set[str], set[str]]]:
    table = {}
    for line in (src / "LAYERS").read_text().splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, _, rest = line.partition(":")
        rooms, _, libraries = rest.partition("|")
        table[room.strip()] = (set(rooms.split()), set(libraries.split()))
    return table


def faults(src: pathlib.Path):
    table = layers(src)
    for path in sorted(src.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        room = path.relative_to(src).parts[0]
        if room not in table:
            yield f"{path}: room '{room}' is not in LAYERS"
            continue
        rooms, libraries = table[room]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            if quote == '"':
                target = header.split("/")[0]
                if target != room and target not in rooms and header not in rooms:
                    yield f"{path}:{number}: {room} may not include {header}"
            elif "/" in header or header.endswith(".h"):
                owner = next((n for n, p in THIRD_PARTY.items() if header.startswith(p)), None)
                allowed = header.startswith(EVERYWHERE) or owner in libraries or (owner is None and "/" not in header)
                if not allowed:
                    yield f"{path}:{number}: {room} may not include <{header}>"


def main() -> int:
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "layers hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
