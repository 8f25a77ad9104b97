"""The rules of accessibility, from npm's axe-core, run on the page that a browser shows."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_script() -> str:
    """axe-core's source, which set-up has fetched."""
    return SCRIPT.read_text("utf-8")


def violations(page: Page, script: str) -> list[str]:
    """What the page breaks: the rule, and where. Evaluated by the browser's tools, so the page's policy stands."""
    page.evaluate(script)
    found = page.evaluate(
        "async (standards) => (await axe.run({runOnly: standards})).violations"
        ".map((rule) => rule.id + ': ' + rule.nodes.map((node) => node.target.join(' ')).join(', '))",
        STANDARDS,
    )
    return [str(one) for one in found]
