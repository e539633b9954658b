#!/usr/bin/env python3
"""Every link between the pages leads somewhere: the file is in the tree, the heading on its page."""
import pathlib
import posixpath
import re
import tempfile
import unittest
from unittest import mock

import pages


def problem(page: str, where: str) -> str | None:
    if re.match(r"[a-z][a-z+.-]*:", where):  # the web, mail: not looked at
        return None
    path, _, anchor = where.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if target.startswith("..") or path.startswith("/"):
        return "leads out of the tree"
    if not (pages.ROOT / target).exists():
        return f"there is no {target}"
    if anchor and not target.endswith(".md"):
        return None
    if anchor and anchor not in pages.anchors(target):
        return f"{target} has no heading for #{anchor}"
    return None


def problems() -> list[str]:
    return [f"{page}:{line}: ({where}) {wrong}" for page in pages.names() for line, where in pages.links(page)
            if (wrong := problem(page, where))]


class Links(unittest.TestCase):
    maxDiff = None

    def test_every_link_leads_somewhere(self):
        self.assertEqual(problems(), [])

    def test_there_are_pages_and_links(self):
        self.assertIn("docs/operations.md", pages.names())
        self.assertGreater(sum(len(pages.links(page)) for page in pages.names()), 100)

    def test_every_page_of_docs_is_linked_from_somewhere(self):
        linked = set()
        for page in pages.names():
            for _, where in pages.links(page):
                linked.add(posixpath.normpath(posixpath.join(posixpath.dirname(page), where.partition("#")[0])))
        folders = {name for name in linked if (pages.ROOT / name).is_dir()}
        alone = [page for page in pages.names() if page.startswith("docs/") and page not in linked
                 and posixpath.dirname(page) not in folders]
        self.assertEqual(alone, [])


class ALittleTree(unittest.TestCase):
    """What the test above would say."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tickbridge-docs-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        patch = mock.patch.object(pages, "ROOT", self.root)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(self.forget)
        self.forget()

    def forget(self):
        pages.names.cache_clear()
        pages.text.cache_clear()

    def write(self, name: str, text: str):
        (self.root / name).write_text(text)

    def test_wrong_ones_are_found(self):
        self.write("README.md", "[a](b.md) [b](c.md#no) [c](../x)\n[d](c.md#two-words)\n`[e](no.md)`\n```\n[f](no.md)\n```\n")
        self.write("c.md", "# Two words\n```\n# no\n```\n")
        self.assertEqual([line.split(": ", 1)[0] for line in problems()], ["README.md:1"] * 3)

    def test_headings_are_named_as_github_does(self):
        self.write("README.md", "# What `buffer.memory` costs\n## A–B, (c)\n## Twice\n## Twice\n")
        self.assertEqual(pages.anchors("README.md"), {"what-buffermemory-costs", "ab-c", "twice", "twice-1"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
