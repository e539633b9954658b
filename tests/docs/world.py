"""A network and an /etc of our own, in which the hosts of the examples exist: the exchange at 10.1.1.1:9000, the brokers kafka1
to kafka3 at port 9092 (and at localhost:9092). So the pages' commands are run as they stand, and nothing of it is seen outside.
"""
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from pages import ROOT
import kafka_tools
from harness import BIN, TOOLS, generate

INSIDE = "TICKBRIDGE_DOCS_INSIDE"
ADDRESSES = ["10.1.1.1", "10.1.1.2"]
HOSTS = "127.0.0.1 localhost kafka1 kafka2 kafka3 kafka4\n"
MESSAGES = 20_000
SIOCSIFADDR, SIOCSIFFLAGS, IFF_UP_RUNNING = 0x8916, 0x8914, 0x41
UNSHARE = ["unshare", "--net", "--mount", "--propagation", "private"]


def enter():
    """Starts this program again inside. Ends with 77 where that is not allowed: ctest lists the test as skipped."""
    if os.environ.get(INSIDE):
        return
    words = UNSHARE + ([] if os.geteuid() == 0 else ["--map-root-user"])
    tried = subprocess.run([*words, "true"], capture_output=True, text=True)
    if tried.returncode:
        print(f"SKIPPED: no command of the docs was run: {tried.stderr.strip()}", file=sys.stderr)
        sys.exit(77)
    kafka_tools.fetch()  # what the network is needed for
    python = subprocess.run([ROOT / "tests/check/venv.sh"], capture_output=True, text=True, check=True).stdout.strip()
    os.execvpe(words[0], [*words, sys.executable, "-W", "ignore::ResourceWarning", *sys.argv], {**os.environ, INSIDE: python})


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def bring_network_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for name, address in [("lo", None)] + [(f"lo:{n}", a) for n, a in enumerate(ADDRESSES, 1)]:
            if address:
                fcntl.ioctl(asked, SIOCSIFADDR, struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address)))
            fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), IFF_UP_RUNNING))


def own_etc(folder: pathlib.Path):
    etc = folder / "etc"
    subprocess.run(["cp", "-a", "/etc", etc], stderr=subprocess.DEVNULL)  # what may not be read is not needed
    (etc / "hosts").write_text(HOSTS)
    shutil.rmtree(etc / "tickbridge", ignore_errors=True)
    (etc / "tickbridge").mkdir()
    subprocess.run(["mount", "--bind", etc, "/etc"], check=True)


class World:
    """`tree`: like a clone that has been built, with files of the examples beside; commands run there."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-docs-")
        folder = pathlib.Path(self.folder.name)
        bring_network_up()
        own_etc(folder)
        self.tree = folder / "tree"
        (self.tree / "build/release").mkdir(parents=True)
        os.symlink(BIN, self.tree / "build/release/bin")
        for entry in ROOT.iterdir():
            if entry.name not in ("build", ".git", "tickbridge.toml"):
                os.symlink(entry, self.tree / entry.name)
        self.commands = folder / "commands"
        self.commands.mkdir()
        kafka_tools.put(self.commands)
        self.environment = {**os.environ, "PATH": f"{self.commands}:{BIN}:{TOOLS}:{os.environ['PATH']}", "HOME": str(folder),
                            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                            "LC_ALL": "C.UTF-8", "TICKBRIDGE_TOKEN": "0123456789abcdef0123456789abcdef"}
        day = generate(self.tree / "day.itch", MESSAGES)
        subprocess.run(["gzip", "--keep", day], check=True)
        self.kafka = f"{folder}/kafka"

    def start_kafka(self):
        self.run(f"tools/kafka up --dir {self.kafka} --brokers 3 --port-base 9092", 300)

    def run(self, command: str, seconds: float = 60) -> str:
        done = subprocess.run(["sh", "-c", command], cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, errors="replace")
        assert done.returncode == 0, f"{command}\n{done.returncode}\n{done.stdout}"
        return done.stdout

    def end(self):
        self.run(f"tools/kafka down --dir {self.kafka}")
        subprocess.run(["umount", "/etc"], check=True)
        self.folder.cleanup()
