"""The Debian package, as somebody gets it: what is in it, then installed, run, upgraded, removed and purged.

In a machine of its own (machine.py): this one stays as it is. `deb` must have been built (ctest does it first).
"""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import machine
from harness import BIN, EXACT, ROOT

PACKAGES = BIN.parent / "packages"
MAN_PAGES = sorted((ROOT / "docs/man").iterdir())
TOOLS = ("tickbridge-exchange", "tickbridge-verify", "tickbridge-embedded-broker")


def package(name: str = "tickbridge") -> pathlib.Path:
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{PACKAGES} holds {found}: run ninja -C {BIN.parent} deb"
    return found[0]


def output(*command) -> str:
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


class Archive(unittest.TestCase):
    """The file alone."""

    def test_lintian_finds_nothing(self):
        with tempfile.TemporaryDirectory(prefix="tickbridge-lintian-") as folder:
            copies = [shutil.copy(deb, folder) for deb in sorted(PACKAGES.glob("*.deb"))]
            text = output("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags",
                          "initial-upload-closes-no-bugs", *copies)  # not in Debian's archive: there is no bug to close
        self.assertNotRegex(text, r"(?m)^[EW]:")

    def test_programs_are_stripped_and_their_symbols_are_beside(self):
        with tempfile.TemporaryDirectory(prefix="tickbridge-package-") as folder:
            output("dpkg-deb", "-x", package(), folder)
            output("dpkg-deb", "-x", package("tickbridge-dbg"), folder)
            for name in ("tickbridge", *TOOLS):
                program = f"{folder}/usr/bin/{name}"
                self.assertNotIn(".debug_info", output("readelf", "-SW", program))
                build_id = re.search(r"Build ID: (\w+)", output("readelf", "-n", program))[1]
                symbols = f"{folder}/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
                self.assertIn(".debug_info", output("readelf", "-SW", symbols))

    def test_headers_are_all_there(self):
        with tempfile.TemporaryDirectory(prefix="tickbridge-package-") as folder:
            output("dpkg-deb", "-x", package("tickbridge-dev"), folder)
            packed = {p.relative_to(f"{folder}/usr/include") for p in pathlib.Path(folder).glob("usr/include/**/*.h")}
        self.assertEqual(packed, {p.relative_to(ROOT / "include") for p in ROOT.glob("include/**/*.h")})

    def test_every_installed_program_has_a_man_page(self):
        listing = output("dpkg-deb", "-c", package())
        for name in re.findall(r"\./usr/bin/(\S+)", listing):
            self.assertRegex(listing, rf"/man/man[18]/{name}\.[18]\.gz")


class ManPages(unittest.TestCase):
    def test_are_sound_roff(self):
        self.assertGreaterEqual(len(MAN_PAGES), 5)
        output("mandoc", "-T", "lint", "-W", "warning", *MAN_PAGES)

    def test_those_of_the_tools_have_every_option_and_no_other(self):
        for tool in TOOLS:
            usage = output(BIN / tool, "--help")
            page = (ROOT / f"docs/man/{tool}.1").read_text().replace("\\-", "-")
            options = set(re.findall(r"(?<![\w-])(--[a-z][\w-]*|-[A-Za-z](?![\w-]))", usage))
            written = set(re.findall(r"\\fB(--?[\w-]+)\\fR", page))
            self.assertEqual(options, written, tool)


@unittest.skipIf(machine.why_not(), f"no machine can be made here: {machine.why_not()}")
class Installed(unittest.TestCase):
    """One life of a package: the tests run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine({PACKAGES: "/run/packages"})
        cls.addClassCleanup(cls.machine.end)
        cls.before = cls.traces()

    @classmethod
    def traces(cls) -> str:
        """What there is of it: files anywhere, user, group."""
        elsewhere = ("/proc", "/run", "/sys", "/root", "/home", "/tmp", ROOT.parent)  # what others may write meanwhile
        paths = " ".join(f"-not -path '{folder}/*'" for folder in elsewhere)
        return cls.machine.run("sh", "-c", f"find / -xdev -name '*tickbridge*' {paths} | sort; "
                               "getent passwd tickbridge; getent group tickbridge; true")

    def apt(self, *words):
        return self.machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "--no-install-recommends", *words,
                                seconds=300)

    def test_1_installs_with_its_dependencies_and_starts_nothing(self):
        self.apt("install", f"/run/packages/{package().name}")
        self.assertIn("ok installed", self.machine.run("dpkg", "-s", "tickbridge"))
        self.assertEqual(self.machine.show("tickbridge", "ActiveState", "UnitFileState"),
                         {"ActiveState": "inactive", "UnitFileState": "disabled"})
        self.assertEqual(self.machine.run("dpkg", "--verify", "tickbridge"), "")

    def test_2_owners_and_modes(self):
        stat = self.machine.run("stat", "-c", "%n %U:%G %a", "/etc/tickbridge", "/etc/tickbridge/tickbridge.toml",
                                "/etc/tickbridge/credentials", "/usr/bin/tickbridge")
        self.assertEqual(stat.splitlines(), ["/etc/tickbridge root:tickbridge 750",
                                             "/etc/tickbridge/tickbridge.toml root:tickbridge 640",
                                             "/etc/tickbridge/credentials root:root 700", "/usr/bin/tickbridge root:root 755"])
        self.assertRegex(self.machine.run("getent", "passwd", "tickbridge"), r":/:/usr/sbin/nologin$")
        self.assertIn("/etc/tickbridge/tickbridge.toml", self.machine.run("dpkg-query", "-W", "-f", "${Conffiles}", "tickbridge"))
        code, _ = self.machine.attempt("runuser", "-u", "nobody", "--", "cat", "/etc/tickbridge/tickbridge.toml")
        self.assertNotEqual(code, 0)

    def test_3_man_pages_are_found(self):
        for page in MAN_PAGES:
            name, section = page.name.rsplit(".", 1)
            self.machine.run("test", "-s", f"/usr/share/man/man{section}/{page.name}.gz")

    def test_4_runs_without_root(self):
        """The installed programs alone, no service manager."""
        broker = self.machine.program("broker", "tickbridge-embedded-broker", "--topic", "ticks:4", "--topic", "ticks.dead:1")
        exchange = self.machine.program("exchange", "tickbridge-exchange", "--generate", "20000", "--save", "/tmp/day.itch")
        self.addCleanup(broker.end)
        self.addCleanup(exchange.end)
        servers = broker.await_text(r"bootstrap\.servers=(\S+)")[1]
        port = exchange.await_text(r"listening on [\d.]+:(\d+)")[1]
        verifier = self.machine.program("verify", "tickbridge-verify", "--file", "/tmp/day.itch", "--bootstrap", servers,
                                        "--topic", "ticks", "--follow", "--quiet", "0.3")
        self.addCleanup(verifier.end)
        daemon = self.machine.program("daemon", "runuser", "-u", "tickbridge", "--", "tickbridge", "--port", port, "--set",
                                      f"producer.bootstrap.servers={servers}", "--exit-at-end")
        self.addCleanup(daemon.end)
        self.assertEqual(daemon.wait(), 0, daemon.errors())
        self.assertEqual(verifier.wait(), 0, verifier.output())
        self.assertIn(EXACT, verifier.output())

    def test_5_an_upgrade_keeps_what_was_configured(self):
        config = self.machine.read("/etc/tickbridge/tickbridge.toml") + "# mine\n"
        self.machine.write("/etc/tickbridge/tickbridge.toml", config)
        self.machine.run("sh", "-ec", "cd /tmp; dpkg-deb -R /run/packages/tickbridge_*.deb next; "
                         "sed -i '/^Version:/s/$/.1/' next/DEBIAN/control; "
                         "sed -i 's/^# tickbridge.s configuration/# The new configuration/' next/etc/tickbridge/tickbridge.toml; "
                         "dpkg-deb -Znone -b next next.deb; dpkg --force-confold -i next.deb")
        self.assertEqual(self.machine.read("/etc/tickbridge/tickbridge.toml"), config)
        self.test_2_owners_and_modes()

    def test_6_a_removal_leaves_the_configuration_only(self):
        self.machine.run("systemctl", "enable", "tickbridge")
        self.machine.run("dpkg", "--remove", "tickbridge")
        self.assertIn("# mine", self.machine.read("/etc/tickbridge/tickbridge.toml"))
        self.assertNotEqual(self.machine.attempt("test", "-e", "/usr/bin/tickbridge")[0], 0)

    def test_7_a_purge_leaves_nothing(self):
        self.machine.write("/etc/tickbridge/other.toml", "")
        self.machine.run("dpkg", "--purge", "tickbridge")
        self.assertEqual(self.traces(), self.before)


if __name__ == "__main__":
    machine.main()
