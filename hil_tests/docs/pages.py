"""The Markdown pages of the tree, as pages of a site. Pure except for reading them."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import normpath

ROOT = Path(__file__).parents[2]
LEFT_OUT = frozenset({".venv", ".git", "node_modules", "build", "var", ".pytest_cache"})
DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
COMMENT = re.compile(r"^<!--.*?-->\n", re.DOTALL | re.MULTILINE)
ABROAD = ("http:", "https:", "mailto:", "#")


def pages() -> list[str]:
    """Return the names of all Markdown files, relative to the tree, README.md first."""
    return sorted(_found(ROOT), key=lambda name: (name.count("/") > 0, name != "README.md", name))


def _found(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in LEFT_OUT:
            yield from _found(path)
        elif path.suffix == ".md":
            yield path.relative_to(ROOT).as_posix()


def links(text: str) -> list[str]:
    """Return the targets of a page's links within the tree, without anchors."""
    found = [target for _, target in LINK.findall(text) if not target.startswith(ABROAD)]
    return [target.split("#")[0] for target in found]


def as_site_page(name: str, text: str, drawn: Callable[[str], str], taken: frozenset[str]) -> str:
    """Return the page with each diagram as a picture, and each link to a file outside the site replaced by the file's
    name.

    `drawn(source)` renders a diagram and returns the name of its file, relative to the site. `taken` are the site's
    pages.
    """
    up = "../" * name.count("/")
    text = DIAGRAM.sub(lambda found: f"![diagram]({up}{drawn(found[1])})", COMMENT.sub("", text))

    def link(found: re.Match[str]) -> str:
        words, target = found.groups()
        if target.startswith(ABROAD):
            return found[0]
        folder = name.rpartition("/")[0]
        place = normpath(f"{folder}/{target.split('#')[0]}") if folder else normpath(target.split("#")[0])
        if place in taken:
            return found[0]
        if f"{place}/README.md" in taken:
            return f"[{words}]({up}{place}/README.md)"
        return f"{words} (`{place}`)" if words.strip("`") != place.rpartition("/")[2] else f"`{place}`"

    return LINK.sub(link, text)
