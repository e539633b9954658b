#!/usr/bin/env python3
"""Takes each rule of recovery out in turn (mutations.toml) and fails unless the model test finds the accident.

usage: mutations_test.py SOURCE_DIR BUILD_DIR MODEL [--only NAME,NAME…] [--search] [--tests PATTERN] -- OBJECT...
(the model's objects, the journal room's objects, libraries)

A mutated file is compiled as compile_commands.json says, without optimisation and with its headers compiled once for all its
mutations, and linked with the objects of all the others. First the scenarios run and the one large world that the mutation's `seed` names; only what
both miss is searched for, and the seed that finds it is told: write it into mutations.toml. --search searches for all of them;
--tests tells what those tests alone find."""
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
SEARCHED_RUNS = 20_000
WORKERS = 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--tests")
    parser.add_argument("objects", nargs="+")
    return parser.parse_args()


def mutated(text: str, mutation: dict) -> str:
    for old, new in mutation["edits"]:
        if text.count(old) != 1:
            raise SystemExit(f"{mutation['name']}: {text.count(old)} times in {mutation['file']}: {old!r}")
        text = text.replace(old, new)
    return text


def command_for(commands: list, source: pathlib.Path, program: str) -> list:
    """The file's own compile command without input and output; a test program's file may be compiled by several."""
    found = [c for c in commands if c["file"] == str(source) and (program in c["command"] or "/src/" in c["file"])]
    words = shlex.split(found[0]["command"])
    words = [w for w in words if not re.fullmatch(r"-O\d|-g\d?|-gline-tables-only|-Werror|-MD", w)]
    for flag in ("-o", "-c", "-MT", "-MF"):
        if flag in words:
            at = words.index(flag)
            del words[at:at + 2]
    return words + ["-O0", "-w"]


def model(program: pathlib.Path, tests: str, seed: int = 1, runs: int = SEARCHED_RUNS) -> subprocess.CompletedProcess:
    environment = dict(os.environ, TICKBRIDGE_SEED=str(seed), TICKBRIDGE_RUNS=str(runs), GTEST_FAIL_FAST="1", GTEST_BRIEF="1")
    return subprocess.run([program, f"--gtest_filter={tests}"], env=environment, capture_output=True, text=True,
                          timeout=RUN_LIMIT_S)


class Mutants:
    def __init__(self, arguments: argparse.Namespace):
        self.source = arguments.source
        self.work = arguments.build / "mutants"
        self.work.mkdir(exist_ok=True)
        self.search_all = arguments.search
        self.tests = arguments.tests
        self.objects = [str(arguments.build / o) for o in arguments.objects]
        self.commands = json.loads((arguments.build / "compile_commands.json").read_text())

    def compile_headers(self, file: str) -> None:
        source = self.source / file
        includes = [line for line in source.read_text().splitlines() if line.startswith("#include")]
        headers = self.headers(source)
        headers.write_text("\n".join(includes) + "\n")
        self.compile(source, ["-x", "c++-header"], headers, headers.with_suffix(".h.gch"))

    def headers(self, source: pathlib.Path) -> pathlib.Path:
        return self.work / f"headers_of_{source.stem}.h"

    def compile(self, as_source: pathlib.Path, flags: list, text: pathlib.Path, output: pathlib.Path) -> None:
        command = command_for(self.commands, as_source, "journal_model")
        subprocess.run([*command, *flags, "-o", str(output), "-c", str(text)], check=True, cwd=self.work)

    def build(self, mutation: dict) -> pathlib.Path:
        source = self.source / mutation["file"]
        mutant = self.work / f"{mutation['name']}.cc"
        mutant.write_text(mutated(source.read_text(), mutation))
        output = mutant.with_suffix(".o")
        self.compile(source, ["-include", str(self.headers(source))], mutant, output)
        replaced = [o for o in self.objects if o.endswith(f"/{source.name}.o")]
        if len(replaced) != 1 and "guard" not in mutation:
            raise SystemExit(f"{mutation['name']}: {len(replaced)} objects of {source.name}")
        rest = [o for o in self.objects if o not in replaced and not o.endswith(".a")]
        archives = ["-Wl,--start-group", *(o for o in self.objects if o.endswith(".a")), "-Wl,--end-group"]
        rest += self.guard(mutation) + archives
        program = mutant.with_suffix("")
        libraries = ["gtest_main", "gmock", "gtest", "rdkafka", "z", "deflate", "date-tz", "prometheus-cpp-core", "tomlplusplus",
                     "spdlog", "fmt", "pthread"]
        subprocess.run(["c++", "-o", str(program), str(output), *rest, "-Wl,--as-needed", *(f"-l{name}" for name in libraries)],
                       check=True)
        return program

    def guard(self, mutation: dict) -> list:
        """The unit test's object, where that and not the model knows the rule."""
        if "guard" not in mutation:
            return []
        found = list((self.work.parent / "tests").glob(f"CMakeFiles/*.dir/{mutation['guard'].removeprefix('tests/')}.o"))
        if len(found) != 1:
            raise SystemExit(f"{mutation['name']}: {len(found)} objects of {mutation['guard']}")
        return [str(found[0])]

    def run(self, program: pathlib.Path, mutation: dict) -> subprocess.CompletedProcess:
        """What is quick to find first."""
        if self.tests or "suite" in mutation:
            return model(program, self.tests or mutation["suite"])
        ran = model(program, "Scenario.*") if not self.search_all else None
        if ran and ran.returncode == 0 and "seed" in mutation:
            ran = model(program, "LargeWorld.*", mutation["seed"], 1)
        if ran and ran.returncode != 0:
            return ran
        if "seed" in mutation:
            print(f"searching: {mutation['name']}: seed {mutation['seed']} does not show it any more", flush=True)
        for tests in ("LargeWorld.*", "SmallWorld.*"):
            ran = model(program, tests)
            if ran.returncode != 0:
                break
        return ran

    def survives(self, mutation: dict) -> str:
        """Empty: the model found it."""
        program = self.build(mutation)
        try:
            ran = self.run(program, mutation)
        except subprocess.TimeoutExpired:
            return "the model runs without end"
        finally:
            program.unlink(missing_ok=True)
        if ran.returncode == 0:
            return f"nobody notices: {mutation['accident']}"
        if ran.returncode < 0 or "[  FAILED  ]" not in ran.stdout:
            return f"the model ended by itself ({ran.returncode}): {(ran.stdout + ran.stderr)[-600:]}"
        accident = re.search(r'^\s+Which is: "(.*?)\\n', ran.stdout, re.M)
        scenario = re.search(r"\[  FAILED  \] (\S+)", ran.stdout).group(1)
        seed = re.search(r"^seed (\d+)$", ran.stdout, re.M)
        where = f"seed = {seed.group(1)}" if seed else scenario
        print(f"found: {mutation['name']}: {where}{': ' + accident.group(1) if accident else ''}", flush=True)
        return ""


def sound(program: pathlib.Path, wanted: list) -> bool:
    """The model without any mutation finds nothing where the mutants are found."""
    ran = [model(program, "Scenario.*")]
    ran += [model(program, "LargeWorld.*", m["seed"], 1) for m in wanted if "seed" in m]
    return all(r.returncode == 0 for r in ran)


def main() -> int:
    arguments = parse_arguments()
    listed = tomllib.loads((pathlib.Path(__file__).parent / "mutations.toml").read_text())["mutation"]
    wanted = [m for m in listed if arguments.only is None or m["name"] in arguments.only.split(",")]
    mutants = Mutants(arguments)
    if not sound(arguments.model, wanted):
        print("the model fails without any mutation")
        return 1
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(mutants.compile_headers, sorted({m["file"] for m in wanted})))
        answers = list(pool.map(mutants.survives, wanted))
    missed = [(m, a) for m, a in zip(wanted, answers) if a]
    for mutation, answer in missed:
        print(f"MISSED: {mutation['name']} ({mutation['rule']}): {answer}")
    print(f"{len(wanted) - len(missed)} of {len(wanted)} mutations found")
    return 1 if missed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
