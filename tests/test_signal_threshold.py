"""Is the signal that an installation must exceed the same number everywhere?

It is defined in modem/signal.py. The rooms do not import each other, and scripts cannot import Python, so each has a copy.
"""

from pathlib import Path

import pytest

from cloud_bridge.values import PASS_ABOVE_CSQ as CLOUD
from modem.network_history import POOR_CSQ
from modem.signal import PASS_ABOVE_CSQ

ROOT = Path(__file__).parent.parent
SCRIPTS = ("cloud_bridge/web/static/charts.js", "hil_tests/rig/panel/static/view.js")


def test_cloud_unit_and_installer_have_one_threshold() -> None:
    assert (CLOUD, POOR_CSQ) == (PASS_ABOVE_CSQ, PASS_ABOVE_CSQ)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_have_it_too(script: str) -> None:
    assert f"const PASS_ABOVE_CSQ = {PASS_ABOVE_CSQ};" in (ROOT / script).read_text()
