#!/usr/bin/env python3
"""Checks that src/ logs through log_event() only, and tells every event of its table. Usage: events_test.py SRC"""
import pathlib
import re
import sys

FRONT = "base/log.cc"
PAST_IT = re.compile(r"spdlog::(trace|debug|info|warn|error|critical|log|shutdown)\s*\(|SPDLOG_")
ROW = re.compile(r'^\s*X\((k\w+),', re.MULTILINE)


def faults(src: pathlib.Path):
    events = ROW.findall((src / "base/events.h").read_text())
    if len(events) < 40:
        yield f"only {len(events)} events found in base/events.h: this test does not read it right"
    told = set()
    for path in sorted(src.rglob("*")):
        name = str(path.relative_to(src))
        if path.suffix not in (".h", ".cc") or name in (FRONT, "base/events.h"):
            continue
        text = path.read_text()
        told.update(re.findall(r"Event::(k\w+)", text))
        for number, line in enumerate(text.splitlines(), 1):
            if PAST_IT.search(line):
                yield f"{path}:{number}: logs past log_event(): {line.strip()}"
    for event in events:
        if event not in told:
            yield f"base/events.h: nobody tells {event}"


def main() -> int:
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else "all events are told, through log_event()")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
