"""The pages (all *.md of the tree) and what stands in them: headings, links, blocks."""
import dataclasses
import functools
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Block:
    page: str  # from the tree's root
    line: int
    language: str  # of a fence; "indented"
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


@functools.cache
def names() -> tuple[str, ...]:
    """Every page, the README first. Folders that are built or hidden are not the tree's."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "build"]
        found += [str((pathlib.Path(folder) / name).relative_to(ROOT)) for name in files if name.endswith(".md")]
    return tuple(sorted(found, key=lambda name: (name != "README.md", name)))


@functools.cache
def text(page: str) -> str:
    return (ROOT / page).read_text()


def fenced(page: str) -> list[Block]:
    found, opened = [], None
    for number, line in enumerate(text(page).splitlines(), 1):
        fence = re.match(r"( *)```(\S*)", line)
        if opened is None and fence:
            opened = (number, fence[2], len(fence[1]), [])
        elif opened is not None and fence:
            found.append(Block(page, opened[0], opened[1], "".join(opened[3])))
            opened = None
        elif opened is not None:
            opened[3].append(line[opened[2]:] + "\n")
    assert opened is None, f"{page}:{opened[0]}: the block has no end"
    return found


def without_fences(page: str) -> str:
    """The same number of lines, those of fenced blocks empty."""
    inside, kept = False, []
    for line in text(page).splitlines():
        fence = re.match(r" *```", line)
        kept.append("" if inside or fence else line)
        inside = inside != bool(fence)
    return "\n".join(kept)


def indented(page: str) -> list[Block]:
    found = []
    for match in re.finditer(r"(?m)(?:^(?: {4,}\S.*|[ ]*)\n)*^ {4,}\S.*\n?", without_fences(page) + "\n"):
        before = without_fences(page)[: match.start()].count("\n")
        lines = match[0].splitlines()
        blank = next(at for at, line in enumerate(lines) if line.strip())
        found.append(Block(page, before + blank + 1, "indented", "".join(line.strip() + "\n" for line in lines[blank:])))
    return found


def commands(block: Block) -> list[str]:
    """A block's commands: a line each, unless it ends with \\ or is followed by what it reads (<<'END')."""
    found, lines = [], iter(block.text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = [line]
        while whole[-1].endswith("\\"):
            whole.append(next(lines))
        if here := re.search(r"<<-?'?(\w+)'?", line):
            while whole[-1].strip() != here[1]:
                whole.append(next(lines))
        found.append("\n".join(whole))
    return found


def on_a_machine() -> list[Block]:
    """What is run by tests/integration/operations_test.py; it installs the package instead of building it."""
    return [block for block in fenced("docs/operations.md")
            if block.language == "sh" and not block.text.startswith(("kafka-", "cmake "))]


def anchors(page: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    found = set()
    for title in re.findall(r"(?m)^#{1,6} +(.*?) *#*$", without_fences(page)):
        title = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()
        slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        again = 0
        while (name := f"{slug}-{again}" if again else slug) in found:
            again += 1
        found.add(name)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text(page)))


def links(page: str) -> list[tuple[int, str]]:
    """(line, where to), inline code left out."""
    found = []
    for number, line in enumerate(without_fences(page).splitlines(), 1):
        bare = re.sub(r"`[^`]*`", "", line)
        found += [(number, where) for where in re.findall(r"\]\(<?([^)\s>]+)>?(?: +\"[^\"]*\")?\)", bare)]
        found += [(number, where) for where in re.findall(r"^\[[^]]+\]: +(\S+)", bare)]
    return found
