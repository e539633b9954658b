#!/usr/bin/env python3
"""Takes each rule of recovery out in turn (mutations.toml) and fails unless the model test finds the accident.

usage: mutations_test.py SOURCE_DIR BUILD_DIR MODEL [--only NAME] -- OBJECT...
(the model's objects, the journal room's objects, libraries)

A mutated file is compiled as compile_commands.json says (through ccache, so again is quick), without optimisation, and linked
with the objects of all the others."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib

RUN_LIMIT_S = 120
WORKERS = 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("objects", nargs="+")
    return parser.parse_args()


def mutated(text: str, mutation: dict) -> str:
    for old, new in mutation["edits"]:
        if text.count(old) != 1:
            raise SystemExit(f"{mutation['name']}: {text.count(old)} times in {mutation['file']}: {old!r}")
        text = text.replace(old, new)
    return text


def command_for(commands: list, source: pathlib.Path, mutant: pathlib.Path, output: pathlib.Path, program: str) -> list:
    """The file's own compile command; a test program's file may be compiled by several."""
    found = [c for c in commands if c["file"] == str(source) and (program in c["command"] or "/src/" in c["file"])]
    words = shlex.split(found[0]["command"])
    words = [w for w in words if not re.fullmatch(r"-O\d|-g\d?|-gline-tables-only|-Werror|-MD", w)]
    for flag in ("-o", "-c", "-MT", "-MF"):
        if flag in words:
            at = words.index(flag)
            del words[at:at + 2]
    return words + ["-O0", "-w", "-o", str(output), "-c", str(mutant)]


class Mutants:
    def __init__(self, arguments: argparse.Namespace):
        self.source = arguments.source
        self.work = arguments.build / "mutants"
        self.work.mkdir(exist_ok=True)
        self.objects = [str(arguments.build / o) for o in arguments.objects]
        self.commands = json.loads((arguments.build / "compile_commands.json").read_text())
        self.environment = dict(os.environ, TICKBRIDGE_SEED="1", TICKBRIDGE_RUNS="20000", GTEST_FAIL_FAST="1", GTEST_BRIEF="1")

    def build(self, mutation: dict) -> pathlib.Path:
        source = self.source / mutation["file"]
        mutant = self.work / f"{mutation['name']}.cc"
        text = mutated(source.read_text(), mutation)
        if not mutant.exists() or mutant.read_text() != text:
            mutant.write_text(text)
        output = mutant.with_suffix(".o")
        compile_it = command_for(self.commands, source, mutant, output, "journal_model")
        subprocess.run(compile_it, check=True, cwd=self.work)
        replaced = [o for o in self.objects if o.endswith(f"/{source.name}.o")]
        if len(replaced) != 1:
            raise SystemExit(f"{mutation['name']}: {len(replaced)} objects of {source.name}")
        rest = [o for o in self.objects if o not in replaced]
        program = mutant.with_suffix("")
        subprocess.run(["c++", "-o", str(program), str(output), *rest, "-lgtest_main", "-lgtest", "-lspdlog", "-lfmt",
                        "-lpthread"], check=True)
        return program

    def run(self, program: pathlib.Path) -> subprocess.CompletedProcess:
        """What is quick to find first."""
        for tests in ("Scenario.*:LargeWorld.*", "SmallWorld.*"):
            ran = subprocess.run([program, f"--gtest_filter={tests}"], env=self.environment, capture_output=True, text=True,
                                 timeout=RUN_LIMIT_S)
            if ran.returncode != 0:
                break
        return ran

    def survives(self, mutation: dict) -> str:
        """Empty: the model found it."""
        program = self.build(mutation)
        try:
            ran = self.run(program)
        except subprocess.TimeoutExpired:
            return "the model runs without end"
        finally:
            program.unlink(missing_ok=True)
        if ran.returncode == 0:
            return f"the model does not notice: {mutation['accident']}"
        if ran.returncode < 0 or "[  FAILED  ]" not in ran.stdout:
            return f"the model ended by itself ({ran.returncode}): {(ran.stdout + ran.stderr)[-600:]}"
        accident = re.search(r'^\s+Which is: "(.*?)\\n', ran.stdout, re.M)
        scenario = re.search(r"\[  FAILED  \] (\S+)", ran.stdout)
        print(f"found: {mutation['name']}: {accident.group(1) if accident else scenario.group(1)}", flush=True)
        return ""


def main() -> int:
    arguments = parse_arguments()
    listed = tomllib.loads((pathlib.Path(__file__).parent / "mutations.toml").read_text())["mutation"]
    wanted = [m for m in listed if arguments.only in (None, m["name"])]
    mutants = Mutants(arguments)
    if mutants.run(arguments.model).returncode != 0:
        print("the model fails without any mutation")
        return 1
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(mutants.survives, wanted))
    missed = [(m, a) for m, a in zip(wanted, answers) if a]
    for mutation, answer in missed:
        print(f"MISSED: {mutation['name']} ({mutation['rule']}): {answer}")
    print(f"{len(wanted) - len(missed)} of {len(wanted)} mutations found")
    return 1 if missed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
