"""Is every command on a page run by a test, or does the page say why not?"""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from hil_tests.guide.blocks import COMMANDS, Block, read, spoken
from hil_tests.guide.story import DEPLOY, STORY, TARGET, blocks_of

ROOT = Path(__file__).parent.parent
ROOMS = ("firmware", "modem", "cloud_bridge", "hil_tests", "tests")
FETCHED = {"node_modules", ".venv"}
PAGES = sorted(
    page
    for folder in (ROOT, ROOT / ".github", *(ROOT / room for room in ROOMS))
    for page in (folder.glob("*.md") if folder.parent != ROOT or folder.name == ".github" else folder.rglob("*.md"))
    if not FETCHED & set(page.parts)
)
OTHERS = {"pip", "http.server"}
BLOCKS = [block for page in PAGES for block in read(page)]
TARGETS = set(re.findall(r"^([a-z.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def whose(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("block", BLOCKS, ids=whose)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language, "name its language: sh for commands, text for what nobody types"
    if block.language == COMMANDS:
        assert block.run_by or block.not_run, "say above it who runs it, or why nobody does: hil_tests/guide/blocks.py"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.run_by], ids=whose)
def test_who_runs_it_is_there(block: Block) -> None:
    assert block.run_by is not None
    kind, _, target = block.run_by.partition(" ")
    if kind == "make":
        assert target in TARGETS
    else:
        assert block.page.name in (ROOT / kind).read_text() or "make_run" in kind


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_sentence_names_can_be_typed(page: Path) -> None:
    """Targets of make, and modules. `tests/cloud_bridge/deploy/test_guides.py` checks the words after `cloud_bridge`."""
    made = {name for code in spoken(page) if code.startswith("make ") for name in code.split()[1:] if name.islower()}
    assert made <= TARGETS
    modules = {code.split()[2] for code in spoken(page) if code.startswith("python -m ") and len(code.split()) > 2}
    assert [name for name in sorted(modules) if name not in OTHERS and find_spec(name) is None] == []


def test_the_stranger_types_all_that_is_hers() -> None:
    told = {(section.page, section.section) for section in STORY}
    hers = {(block.page.name, block.section) for block in BLOCKS if block.run_by == TARGET or block.file is not None}
    assert hers == told
    assert {block.page.parent for block in BLOCKS if block.run_by == TARGET} == {DEPLOY}
    assert all(list(blocks_of(section)) for section in STORY)


def test_each_page_is_looked_at() -> None:
    assert {"README.md", "RELEASING.md", "CONTRIBUTING.md", "backup.md", "incidents.md"} <= {
        page.name for page in PAGES
    }
    assert len([block for block in BLOCKS if block.run_by]) > 30
