#!/usr/bin/env python3
"""Every command of the pages is run, every configuration in them checked.

The rules: a block marked `sh` holds commands; they are run, each by itself, in order, README.md first; the other pages find the
topic that it fills. A block marked `toml` is a configuration: it is checked, with what it leaves out. `python` and `cpp` blocks
are run and compiled. All other blocks are drawings and output, and must not begin like a command. What is not run stands in
NOT_RUN, with the reason, and is printed. Blocks of docs/operations.md are run by tests/integration/operations_test.py, on a
machine with a systemd, except for those that begin with one of Kafka's own tools.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import pages  # noqa: E402
import world  # noqa: E402
from harness import EXACT, Program  # noqa: E402

NOT_RUN = [
    (r"\./(try|test)\b", "CI runs it by itself: the whole job, every test"),
    (r"cmake |ninja ", "./test does the same; this test needs what they build"),
    (r"ctest ", "./test runs these tests themselves"),
    (r"apt-get install", "tools/setup.sh and the test of the package do it"),
    (r"(TICKBRIDGE_SEED=\d+ )?tests/fault/suite\.py(?! --list)", "ctest runs the suite (label fault); its long versions take an hour"),
    (r"TICKBRIDGE_RUNS=200000 ", "a minute; ctest runs 10,000 of these worlds"),
    (r"build/fuzz/", "needs clang; ./test replays the corpora with g++"),
    (r"bench/", "minutes on a machine of its own; figures are not tests"),
    (r"pip install", "tests/check/venv.sh does it"),
]
MUST_SAY = [
    (r"kafka-topics\.sh .*--create", r"Created topic"),
    (r"kafka-topics\.sh .*--describe", r"PartitionCount: \d+"),
    (r"tickbridge-verify .*--file", EXACT),
    (r"kcat -C .*-t ticks ", r"(?m)^\d+ \d+ \S* \d+ \d+$"),
    (r"kcat -C .*tickbridge\.checkpoints", r'"next_sequence"'),
    (r".*print-trades", r"(?m)^\d\d:\d\d:\d\d\.\d+ \S+ +[\d,]+ @"),
    (r"tickbridge --check-config", "sound"),
]
# Programs that go on: what they say when they are ready.
SERVICES = {"tickbridge": (r"listening on (http://[^\s/]+)", "err"), "tickbridge-exchange": (r"listening on \S+", "out"),
            "tickbridge-embedded-broker": (r"bootstrap\.servers=\S+", "out")}
NO_SERVICE = r"--(check-config|print-config|version|help|no-serve|exit-at-end)\b|\bdoctor\b"
COMMAND = re.compile(r"(sudo |[A-Z_]+=\S+ )*(\./|build/\w+/|bench/|tools/|tests/\S+\.py)|"
                     r"(sudo |[A-Z_]+=\S+ )*(tickbridge|tickbridge-\w+|kcat|kafka-\w+\.sh|systemctl|journalctl|curl|ctest|cmake|ninja|"
                     r"promtool|apt-get|openssl|pip|git|chmod|install|sed) ")
CPP = "#include <cstddef>\ntemplate <class... T> void use(T&&...) {}\n"
FEED = '[feed.nasdaq]\nhosts = ["10.1.1.1:9000"]\n'


def reason_not_to_run(command: str) -> str | None:
    return next((reason for pattern, reason in NOT_RUN if re.match(pattern, command)), None)


def of(page: str, *languages: str) -> list[pages.Block]:
    return [block for block in pages.fenced(page) if block.language in languages]


def completed(text: str) -> str:
    """A configuration with the feed, and the feed's address, that a piece of one leaves out."""
    if not re.search(r"(?m)^\[feed\.[\w-]+\]", text):
        return text + FEED if not re.search(r"(?m)^\[feed\.", text) else FEED + text

    def addressed(match: re.Match) -> str:
        return match[0] if re.search(r"(?m)^(hosts?|port)\b", match[2]) else f'{match[1]}\nhosts = ["10.1.1.1:9000"]\n{match[2]}'

    return re.sub(r"(?ms)^(\[feed\.[\w-]+\])[^\n]*\n(.*?)(?=^\[|\Z)", addressed, text)


class Pages(unittest.TestCase):
    """What needs no world."""

    def test_what_looks_like_a_command_is_marked_as_one(self):
        others = [block for page in pages.names() for block in pages.indented(page) + pages.fenced(page)
                  if block.language not in ("sh", "toml", "python", "cpp", "json", "yaml", "promql")]
        suspects = [f"{block}: {line}" for block in others for line in block.text.splitlines()[:1] if COMMAND.match(line)]
        self.assertEqual(suspects, [], "make it a block marked sh, which is run, or text")

    def test_every_reason_is_used(self):
        every = [command for page in pages.names() for block in of(page, "sh") for command in pages.commands(block)]
        idle = [pattern for pattern, _ in NOT_RUN if not any(re.match(pattern, command) for command in every)]
        self.assertLessEqual(set(idle), {r"bench/", r"pip install"})

    def test_pieces_of_configurations_are_completed(self):
        self.assertEqual(completed("[http]\nlisten = \"\"\n"), "[http]\nlisten = \"\"\n" + FEED)
        self.assertEqual(completed("[feed.a]\ntopic = \"x\"\n[log]\n"), '[feed.a]\nhosts = ["10.1.1.1:9000"]\ntopic = "x"\n[log]\n')
        self.assertEqual(completed("[feed.a]\nhost = \"h\"\n"), "[feed.a]\nhost = \"h\"\n")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.end)
        cls.world.start_kafka()
        cls.counts = {"run": 0, "not run": 0}
        for address in world.ADDRESSES:
            words = ["build/release/bin/tickbridge-exchange", "--file", "day.itch", "--host", address, "--port", "9000"]
            cls.addClassCleanup(cls.start(words, r"listening on", "out").end)

    @classmethod
    def start(cls, words: list[str], pattern: str, stream: str) -> Program:
        changed = ["env", "-C", str(cls.world.tree), *(f"{k}={cls.world.environment[k]}" for k in ("PATH", "HOME")), *words]
        program = Program(pathlib.Path(words[0]).name, changed)
        program.await_text(pattern, stream=stream)
        return program

    def test_1_every_command_runs(self):
        for page in pages.names():
            with self.subTest(page=page):
                self.page(page)
        print(self.counts, file=sys.stderr)
        self.assertGreater(self.counts["run"], 15)

    def page(self, page: str):
        services = []
        try:
            self.keep_configuration(page)
            for block in (block for block in of(page, "sh") if block not in pages.on_a_machine()):
                for command in pages.commands(block):
                    self.command(block, command, services)
        finally:
            codes = [(service.name, self.ended(service)) for service in services]
        self.assertEqual([code for code in codes if code[1] != 0], [])

    def keep_configuration(self, page: str):
        """A block that begins with a file's name is that file, as installed, too."""
        for block in of(page, "toml"):
            if name := re.match(r"# (\w+\.toml)\b", block.text):
                for folder in (self.world.tree, pathlib.Path("/etc/tickbridge")):
                    (folder / name[1]).write_text(block.text)

    def ended(self, service: Program) -> int:
        service.process.terminate()
        return service.wait()

    def command(self, block: pages.Block, command: str, services: list):
        if reason := reason_not_to_run(command):
            self.counts["not run"] += 1
            print(f"{block}: not run: {command.splitlines()[0]} ({reason})", file=sys.stderr)
            return
        self.counts["run"] += 1
        words = shlex.split(command, comments=True)
        known = SERVICES.get(pathlib.Path(words[0]).name)
        if known and not re.search(NO_SERVICE, command):
            services.append(self.start(words, *known))
            if words[0].endswith("tickbridge"):
                self.await_day(services[-1])
            return
        said = self.world.run(command, 120)
        for pattern, wanted in MUST_SAY:
            if re.match(pattern, command):
                self.assertRegex(said, wanted, f"{block}: {command}")

    def await_day(self, daemon: Program):
        """Until all that the exchange has is in the topic: then the page is worth a look."""
        url = daemon.await_text(r"listening on (http://[^\s/]+)", stream="err")[1]
        deadline = time.monotonic() + 120
        while True:
            with urllib.request.urlopen(url + "/api/status", timeout=60) as answer:
                feeds = json.load(answer)["feeds"].values()
            if all(feed["next_sequence"] > world.MESSAGES and feed["messages_acknowledged"] == feed["messages_committed"]
                   for feed in feeds):
                return
            self.assertLess(time.monotonic(), deadline, daemon.errors())
            time.sleep(0.1)

    def test_2_every_configuration_is_sound(self):
        for page in pages.names():
            for block in of(page, "toml"):
                with self.subTest(block=str(block)):
                    self.check(block)

    def check(self, block: pages.Block):
        text = completed(block.text)
        for path in re.findall(r'"(/etc/tickbridge/[\w./-]+)"', text):
            self.make_secret(pathlib.Path(path))
        credentials = self.world.tree / "credentials"
        credentials.mkdir(exist_ok=True)
        for name in re.findall(r'"credential:([\w.-]+)"', text):
            self.make_secret(credentials / name)
        with tempfile.NamedTemporaryFile("w", suffix=".toml", dir=self.world.tree) as file:
            file.write(text)
            file.flush()
            self.world.run(f"CREDENTIALS_DIRECTORY={credentials} tickbridge --config {file.name} --check-config")

    def make_secret(self, path: pathlib.Path):
        """What an example's file would hold: a certificate, its key, or a password."""
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        made = self.world.tree / "made"
        if not made.exists():
            made.mkdir()
            self.world.run(f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {made}/key -out {made}/pem -days 2 -subj /CN=kafka1")
        kind = path.suffix.removeprefix(".")
        path.write_text((made / kind).read_text() if kind in ("pem", "key") else "0123456789abcdef0123456789abcdef\n")
        path.chmod(0o600)

    def test_3_python_finds_records(self):
        blocks = [block for page in pages.names() for block in of(page, "python")]
        self.assertTrue(blocks)
        for block in blocks:
            with self.subTest(block=str(block)):
                program = Program("python", [os.environ[world.INSIDE], "-u", "-c", block.text])
                self.addCleanup(program.end)
                program.await_text(r"(?m)^\d+ \d+ \d+ [A-Z.]+ ")

    def test_4_cpp_compiles(self):
        for page in pages.names():
            for block in of(page, "cpp"):
                with self.subTest(block=str(block)):
                    done = subprocess.run(["g++", "-std=c++17", "-fsyntax-only", f"-I{pages.ROOT}/include", "-xc++", "-"],
                                          input=CPP + block.text, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    world.enter()
    unittest.main(verbosity=2)
