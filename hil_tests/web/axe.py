"""The accessibility rules of npm's axe-core, checked on a page in the browser."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_script() -> str:
    """Return axe-core's source, which the set-up has fetched."""
    return SCRIPT.read_text("utf-8")


def violations(page: Page, script: str) -> list[str]:
    """Return the rules that the page violates, with the elements. Runs through the browser's tools, so the page's CSP stays
    active."""
    page.evaluate(script)
    found = page.evaluate(
        "async (standards) => (await axe.run({runOnly: standards})).violations"
        ".map((rule) => rule.id + ': ' + rule.nodes.map((node) => node.target.join(' ')).join(', '))",
        STANDARDS,
    )
    return [str(one) for one in found]
