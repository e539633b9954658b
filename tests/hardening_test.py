#!/usr/bin/env python3
"""Checks with readelf that a program is built as cmake/settings.cmake says.

Usage: hardening_test.py PROGRAM START_FILE ARCHIVE...: the C library's start file, and what the program is linked from.
"""
import re
import subprocess
import sys
import unittest

MARK = re.compile(r"(x86|AArch64) feature:.*")


def readelf(*words: str) -> str:
    done = subprocess.run(["readelf", "--wide", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def marks(text: str) -> set[str]:
    """What an object's note says that all its code is fit for: IBT and SHSTK; BTI."""
    found = MARK.search(text)
    return set(re.findall(r"IBT|SHSTK|BTI", found[0])) if found else set()


class Hardening(unittest.TestCase):
    program = start_file = ""
    archives: list[str] = []

    def setUp(self):
        self.headers = readelf("--file-header", "--program-headers", self.program)
        self.dynamic = readelf("--dynamic", self.program)
        self.imports = set(re.findall(r" UND (\w+)", readelf("--dyn-syms", self.program)))

    def test_it_lies_anywhere_in_memory(self):
        self.assertRegex(self.headers, r"Type:\s+DYN", "not position-independent")
        self.assertIn("INTERP", self.headers, "a library, not a program")
        self.assertNotIn("(TEXTREL)", self.dynamic)

    def test_nobody_writes_where_calls_go(self):
        self.assertIn("GNU_RELRO", self.headers)
        self.assertRegex(self.dynamic, r"\(FLAGS\).*BIND_NOW|\(BIND_NOW\)|\(FLAGS_1\).*\bNOW\b")

    def test_data_is_never_run(self):
        stack = re.search(r"GNU_STACK\s+(?:0x\S+\s+){5}(\S+)", self.headers)
        self.assertEqual(stack and stack[1], "RW")
        segments = re.findall(r"^\s+LOAD\s+(?:0x\S+\s+){5}(.{3})", self.headers, re.M)
        self.assertGreaterEqual(len(segments), 3, self.headers)
        for flags in segments:
            self.assertFalse("W" in flags and "E" in flags, "a segment is written and run")

    def test_stacks_are_guarded(self):
        self.assertIn("__stack_chk_fail", self.imports)

    def test_copies_are_checked(self):
        checked = {name for name in self.imports if re.fullmatch(r"__\w+_chk", name)}
        self.assertTrue(checked, "no fortified function is used")

    def test_libraries_come_from_the_system_only(self):
        self.assertNotRegex(self.dynamic, r"\((RPATH|RUNPATH)\)")

    def test_jumps_land_where_they_should(self):
        """All our code is fit for it. The linker marks the program only where the C library's start files are fit, too;
        those of Debian 12 are not."""
        machine = re.search(r"Machine:\s+(.*)", self.headers)[1]
        wanted = {"IBT", "SHSTK"} if "X86-64" in machine else {"BTI"} if "AArch64" in machine else set()
        self.assertTrue(self.archives)
        for archive in self.archives:
            for member in re.split(r"^File: ", readelf("--notes", archive), flags=re.M)[1:]:
                self.assertLessEqual(wanted, marks(member), member.splitlines()[0])
        if wanted <= marks(readelf("--notes", self.start_file)):
            self.assertLessEqual(wanted, marks(readelf("--notes", self.program)), "the program is not marked")
        else:
            print(f"{self.start_file} is not marked, so the program is not either")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    Hardening.program, Hardening.start_file, *Hardening.archives = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
