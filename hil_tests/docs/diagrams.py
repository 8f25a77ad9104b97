"""Render diagrams as SVG by mermaid in the machine's Chromium, so that the site needs no script and no network."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

MERMAID = Path("node_modules/mermaid/dist/mermaid.min.js")
WITHIN_MS = 30_000
DRAW = "async ([name, source]) => (await mermaid.render(name, source)).svg"


class Drawing:
    """Renders each diagram once, into `folder`."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page = page
        self._folder = folder

    def draw(self, source: str) -> str:
        """Render a diagram. Return the file's name, relative to the folder's parent. Raises playwright's Error for an
        invalid diagram."""
        name = "diagram-" + hashlib.sha256(source.encode()).hexdigest()[:12]
        kept = self._folder / f"{name}.svg"
        if not kept.exists():
            kept.write_text(self._page.evaluate(DRAW, [name, source]))
        return f"{self._folder.name}/{kept.name}"


@contextmanager
def drawing(mermaid: Path, folder: Path) -> Iterator[Drawing]:
    """Open a browser that runs mermaid, from the script at that path."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.set_default_timeout(WITHIN_MS)
            page.set_content("<body></body>")
            page.add_script_tag(path=mermaid)
            page.evaluate(
                "mermaid.initialize({startOnLoad: false, theme: 'neutral', htmlLabels: false, flowchart: {htmlLabels: false}})"
            )
            yield Drawing(page, folder)
        finally:
            browser.close()
