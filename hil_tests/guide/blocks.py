"""The commands of a Markdown page: its fenced `sh` blocks, and what runs each.

A comment above every such block says what runs it, or why nothing does:

    <!-- run: make stranger -->
    <!-- run: hil_tests/guide/test_commands.py -->
    <!-- not run: it needs a board -->

A block of another language that is a whole file has a comment with its path, mode and owner:

    <!-- file: /etc/caddy/Caddyfile, 644 root:root -->
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

COMMANDS = "sh"
MARK = re.compile(r"<!-- (run|not run|file): (.+?) -->")
FILE = re.compile(r"(/\S+), ([0-7]{3}) (\w+:\w+)")


class Target(NamedTuple):
    """The file to which a block is written."""

    path: str
    mode: int
    owner: str  # user:group


class Block(NamedTuple):
    """One fenced block."""

    page: Path
    line: int  # of its fence, from 1
    section: str  # the heading above it
    language: str  # "" if the fence has none
    text: str
    run_by: str | None  # a target of make or a file of tests
    not_run: str | None  # the reason
    file: Target | None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def read(page: Path) -> Iterator[Block]:
    """Yield the blocks of one page in order, including those in lists."""
    section, mark = "", None
    tokens = MarkdownIt().enable("table").parse(page.read_text())
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            section = token.content
        elif token.type == "html_block":
            mark = MARK.fullmatch(token.content.strip())
            continue
        elif token.type == "fence":
            said = {mark[1]: mark[2]} if mark else {}
            line = token.map[0] + 1 if token.map else 0
            yield Block(
                page, line, section, token.info.strip(), token.content,
                said.get("run"), said.get("not run"), _target(said.get("file")),
            )  # fmt: skip
        mark = None


def spoken(page: Path) -> Iterator[str]:
    """Yield the inline code of sentences and tables."""
    for token in MarkdownIt().enable("table").parse(page.read_text()):
        yield from (child.content for child in token.children or () if child.type == "code_inline")


def _target(words: str | None) -> Target | None:
    found = FILE.fullmatch(words or "")
    return Target(found[1], int(found[2], 8), found[3]) if found else None
