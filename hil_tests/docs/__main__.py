"""`make docs`: build a small site of all documentation, build/docs/site/index.html, which can be read without scripts.

The pages are the Markdown files of the tree, and three that are generated from the contracts: the wire format, the HTTP
API and the contract of a board. Sphinx builds the site; a broken link or a missing heading is an error.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from hil_tests.docs.diagrams import MERMAID, drawing
from hil_tests.docs.pages import ROOT, as_site_page, pages
from hil_tests.docs.reference import board_page, http_page, wire_page
from hil_tests.environment import npm

BUILT = ROOT / "build" / "docs"
SOURCE, SITE, TOOLS, NPM = (BUILT / name for name in ("source", "site", "tools", "npm"))
HERE = Path(__file__).parent
REFERENCE = {"wire": wire_page, "http": http_page, "board": board_page}
FIRST, SECOND = "README.md", ".github/ARCHITECTURE.md"
PICTURES = ("*.webp", "*.png")
WITHIN_S = 600
CONTENTS = """

```{{toctree}}
:hidden:

{first}
```

```{{toctree}}
:caption: Reference
:hidden:

{reference}
```

```{{toctree}}
:caption: Rooms and papers
:hidden:

{others}
```
"""


def write_sources() -> None:
    """Write all pages in the form that Sphinx reads."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    names = pages()
    taken = frozenset(site_name(name) for name in names)
    with drawing(NPM / MERMAID, SOURCE / "diagrams") as board:
        for name in names:
            place = SOURCE / site_name(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            text = (ROOT / name).read_text(encoding="utf-8").replace(".github/", "papers/")
            place.write_text(as_site_page(site_name(name), text, board.draw, taken), encoding="utf-8")
    for picture in (picture for kind in PICTURES for picture in (ROOT / "hil_tests").rglob(kind)):
        if "node_modules" not in picture.parts:
            place = SOURCE / picture.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, place)
    (SOURCE / "reference").mkdir()
    for name, made in REFERENCE.items():
        (SOURCE / "reference" / f"{name}.md").write_text(made(ROOT), encoding="utf-8")
    others = sorted(taken - {FIRST, site_name(SECOND)})
    reference = [f"reference/{name}.md" for name in REFERENCE]
    with (SOURCE / FIRST).open("a", encoding="utf-8") as page:
        page.write(CONTENTS.format(first=site_name(SECOND), reference="\n".join(reference), others="\n".join(others)))


def site_name(name: str) -> str:
    """Return a page's name on the site: Sphinx ignores folders whose name begins with a dot."""
    return name.replace(".github/", "papers/")


def make_site() -> int:
    """Build the site with the Sphinx of docs.lock, in its own environment. Return the exit code."""
    if not (TOOLS / "bin" / "sphinx-build").exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True, timeout=WITHIN_S)
        pip: list[str | Path] = [TOOLS / "bin/pip", "install", "--quiet", "--require-hashes", "-r", ROOT / "docs.lock"]
        subprocess.run(pip, check=True, timeout=WITHIN_S)
    shutil.rmtree(SITE, ignore_errors=True)
    command: list[str | Path] = [
        TOOLS / "bin/sphinx-build",
        "-q",
        "-n",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-c",
        HERE,
        SOURCE,
        SITE,
    ]
    failed = subprocess.run(command, timeout=WITHIN_S, check=False).returncode
    if not failed:
        shutil.copy(SITE / "README.html", SITE / "index.html")
    return failed


def main() -> int:
    """Run the command line. Return 1 if a link is broken."""
    argparse.ArgumentParser(prog="python -m hil_tests.docs", description=__doc__).parse_args()
    NPM.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", npm.LOCK):
        shutil.copy(HERE / name, NPM)
    npm.fetch_folder(ROOT / ".venv", NPM)
    write_sources()
    failed = make_site()
    print(f"{SITE / 'index.html'}" if not failed else "the site has broken links: see above")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
