"""The rules of accessibility, from npm's axe-core, run on the page that a browser shows."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

HERE = Path(__file__).parent
SCRIPT = HERE / "node_modules" / "axe-core" / "axe.min.js"
INSTALL_WITHIN_S = 120
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def axe_script() -> str:
    """axe-core's source, installed beside this file at first use; skips the test where there is no npm."""
    if not SCRIPT.exists():
        npm = shutil.which("npm")
        if npm is None:
            if os.environ.get("CI"):
                raise AssertionError("npm is not there: install Node, axe-core comes with it")
            pytest.skip("no npm on this machine: axe-core cannot be fetched")
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=HERE,
            check=True,
            capture_output=True,
            timeout=INSTALL_WITHIN_S,
        )
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
