"""A second Debian on this one, with systemd as its first process: an overlay over the root file system, booted by
systemd-nspawn, with a network of its own. Whatever is installed, written or broken in it is gone with it: the overlay is mounted
in a mount namespace that ends with its last process, also if the test is killed.
"""
import ctypes
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from harness import BIN, Program, SLOW

# Runs in the new mount namespace: $1 where to mount, $2 the groups of processes to make, then systemd-nspawn's flags. Services
# of this machine stay out: what the administrator has enabled stands in /etc/systemd/system and /etc/rc?.d.
BOOT = r"""
set -e
for group in $2; do
  mkdir -p "$group"
  echo $$ > "$group/cgroup.procs"
done
mount -t tmpfs tickbridge-machine "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay tickbridge-machine -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
rm -rf "$1"/root/etc/systemd/system/* "$1"/root/etc/rc?.d/* "$1"/root/run/* "$1"/root/var/log/journal
rm -f "$1/root/usr/sbin/policy-rc.d" "$1/root/var/lib/man-db/auto-update"
directory=$1/root
shift 2
exec systemd-nspawn --quiet --directory="$directory" "$@"
"""
PR_SET_PDEATHSIG = 1


def try_overlay() -> str | None:
    """What is in the way of an overlay, if anything is."""
    with tempfile.TemporaryDirectory(prefix="tickbridge-machine-") as folder:
        words = ("mount -t tmpfs none $0 && mkdir $0/u $0/w $0/m && "
                 "mount -t overlay none -o lowerdir=/,upperdir=$0/u,workdir=$0/w $0/m")
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", words, folder],
                              capture_output=True, text=True)
        return done.stderr.strip() if done.returncode else None


@functools.cache
def why_not() -> str | None:
    """Why there can be no machine here; None: there can."""
    if os.geteuid() != 0:
        return "only root may boot a systemd in a container"
    if not shutil.which("systemd-nspawn"):
        return "systemd-nspawn is missing (Debian: systemd-container)"
    closed = [str(group.parent) for group in own_groups("any") if not os.access(group.parent, os.W_OK)]
    if closed:
        return f"{closed} may not be written"
    problem = try_overlay()
    return f"no overlay file system: {problem}" if problem else None


def main():
    """As unittest.main, by sudo if need be; ends with 77 where no machine could be made: ctest lists the test as skipped."""
    if os.geteuid() != 0 and subprocess.run(["sh", "-c", "sudo --non-interactive true"], stderr=subprocess.DEVNULL).returncode == 0:
        os.execvp("sudo", ["sudo", "--non-interactive", f"TICKBRIDGE_BIN={BIN}", "PYTHONDONTWRITEBYTECODE=1", sys.executable,
                           *sys.argv])
    sound = unittest.main(verbosity=2, exit=False).result.wasSuccessful()
    if sound and why_not():
        print(f"SKIPPED: nothing was installed or booted: {why_not()}", file=sys.stderr)
    sys.exit(1 if not sound else 77 if why_not() else 0)


def own_groups(name: str) -> list[pathlib.Path]:
    """A group of processes in each hierarchy that systemd knows: two machines must not share one. Where this machine has a
    systemd itself, systemd-nspawn asks that."""
    if os.path.isdir("/run/systemd/system"):
        return []
    known = (pathlib.Path("/sys/fs/cgroup") / part for part in ("systemd", "unified", "."))
    return [hierarchy / name for hierarchy in known if (hierarchy / "cgroup.procs").exists()]


def remove_group(group: pathlib.Path):
    for folder, *_ in os.walk(group, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:  # gone already, or a process still leaves
            pass


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Machine:
    """binds: {folder here: where it is seen in there, read-only}."""

    def __init__(self, binds: dict | None = None):
        self.cursor = ""
        self.name = f"tickbridge-{os.getpid()}"
        self.folder = tempfile.TemporaryDirectory(prefix="tickbridge-machine-")
        self.mount = pathlib.Path(self.folder.name) / "mount"
        self.mount.mkdir()
        self.log = pathlib.Path(self.folder.name) / "console"
        flags = ["--boot", f"--machine={self.name}", "--link-journal=no", "--private-network", "--console=pipe",
                 "--register=no", "--resolv-conf=off", "--timezone=off", "--tmpfs=/tmp"]
        self.groups = own_groups(self.name)
        flags += ["--keep-unit"] if self.groups else []
        flags += [f"--bind-ro={here}:{there}" for here, there in (binds or {}).items()]
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "boot", self.mount,
                 " ".join(map(str, self.groups)), *flags]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)
        try:
            self.init = self.await_init()
            self.await_boot()
        except BaseException:
            self.end()
            raise

    def await_init(self, seconds: float = 60) -> int:
        """The id here of the first process in there, once that is systemd."""
        deadline = time.monotonic() + seconds * SLOW
        while time.monotonic() < deadline and self.process.poll() is None:
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for child in children:
                try:
                    if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                        return int(child)
                except FileNotFoundError:
                    pass
            time.sleep(0.02)
        raise AssertionError(f"the machine does not boot\n{self.log.read_text(errors='replace')}")

    def await_boot(self, seconds: float = 60):
        deadline = time.monotonic() + seconds * SLOW
        state = ""
        while time.monotonic() < deadline:
            state = self.ask("systemctl", "is-system-running").strip()
            if state in ("running", "degraded"):
                return
            time.sleep(0.05)
        raise AssertionError(f"the machine's systemd is '{state}'\n{self.log.read_text(errors='replace')}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def words(self, *command, inside: tuple = ("--all",)) -> list[str]:
        return ["nsenter", "--target", str(self.init), *inside, "--", *map(str, command)]

    def ask(self, *command, stdin: str | None = None, seconds: float = 120) -> str:
        """Runs a command in there; what it prints, whether it succeeds or not."""
        return self.attempt(*command, stdin=stdin, seconds=seconds)[1]

    def attempt(self, *command, stdin: str | None = None, seconds: float = 120) -> tuple[int, str]:
        done = subprocess.run(self.words("env", "-C", "/", *command), input=stdin or "", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds * SLOW, errors="replace")
        return done.returncode, done.stdout

    def run(self, *command, stdin: str | None = None, seconds: float = 120) -> str:
        code, text = self.attempt(*command, stdin=stdin, seconds=seconds)
        assert code == 0, f"{shlex.join(map(str, command))}: {code}\n{text}"
        return text

    def program(self, name: str, *command, stdin=None) -> Program:
        """A program that goes on; it sees the machine's files and network, and is ended by its own id."""
        return Program(name, self.words(*command, inside=("--mount", "--net", "--uts", "--ipc")), stdin=stdin)

    def write(self, path: str, text: str):
        self.run("tee", path, stdin=text)

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def get(self, url: str) -> str:
        """What an address says that only the machine's own network reaches."""
        code = "import sys, urllib.request as u; sys.stdout.write(u.urlopen(sys.argv[1], timeout=60).read().decode())"
        return self.run("python3", "-c", code, url)

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """A unit's properties as systemd knows them."""
        text = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in text.splitlines())

    def await_unit(self, unit: str, condition, *properties: str, seconds: float = 60) -> dict[str, str]:
        deadline = time.monotonic() + seconds * SLOW
        while True:
            found = self.show(unit, *properties)
            if condition(found):
                return found
            assert time.monotonic() < deadline, f"{unit}: {found}\n{self.journal(unit)}"
            time.sleep(0.1)

    def mark_journal(self):
        """From here on journal() tells."""
        self.cursor = re.search(r"-- cursor: (\S+)", self.ask("journalctl", "--lines=0", "--show-cursor"))[1]

    def journal(self, unit: str) -> str:
        words = [f"--after-cursor={self.cursor}"] if self.cursor else []
        return self.ask("journalctl", "--no-pager", "--output=cat", "--unit", unit, *words)

    def await_journal(self, unit: str, pattern: str, seconds: float = 60) -> re.Match:
        deadline = time.monotonic() + seconds * SLOW
        while True:
            text = self.journal(unit)
            if match := re.search(pattern, text):
                return match
            assert time.monotonic() < deadline, f"{unit}: no '{pattern}'\n{text}"
            time.sleep(0.1)

    def end(self):
        """Halts it; what does not want to is killed."""
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):  # halt; at once; whatever it takes
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                pass
        for group in self.groups:
            remove_group(group)
        shutil.rmtree(f"/run/systemd/nspawn/propagate/{self.name}", ignore_errors=True)
        self.folder.cleanup()
