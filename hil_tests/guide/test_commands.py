"""Does each command of the pages that need no root do what its page says, in a new home?

These pages are cloud_bridge/README.md, and deploy/monitoring.md and ingest/ocpp/README.md in cloud_bridge. `make
stranger` runs the others.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.guide.blocks import Block, read

PAGES = ("cloud_bridge/README.md", "cloud_bridge/deploy/monitoring.md", "cloud_bridge/ingest/ocpp/README.md")
HERE = "hil_tests/guide/test_commands.py"
BLOCKS = [block for page in PAGES for block in read(CHECKOUT / page) if block.run_by == HERE]
WITHIN_S = 120.0


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page.parent.name}-{block.page.name}-{block.line}")
def test_it_is_carried_out(block: Block, tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
        "CHARGEKEEPER_DATA": str(tmp_path / "data"),
        "KEY": "0123456789abcdefghij",
    }
    done = subprocess.run(
        ["sh", "-eu", "-c", f"python -m cloud_bridge user add dora >/dev/null\n{block.text}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
