"""Does a whole unit reach the whole cloud where its runtime has TLS 1.2 alone, and does it say so?"""

import asyncio
import json
from pathlib import Path

import pytest

from hil_tests.fixtures.bridge_process import BridgeProcess
from hil_tests.fixtures.ports import free_ports
from hil_tests.rig.console import ConsoleError, ConsoleSilent
from hil_tests.rig.processor import Program
from hil_tests.rig.unit import Unit

OLD = Program(str(Path(__file__).with_name("old_tls_on_micropython")), "heapsize=144wK")  # it is not run in place
WITHIN_S = 60  # ends a test that hangs; `make bench` measures


async def until(unit: Unit, words: str, beginning: str) -> list[str]:
    """The answer to `words`, once a line of it begins so."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            try:
                answer = await unit.ask(words)
            except (ConsoleError, ConsoleSilent):
                answer = []
            if any(line.startswith(beginning) for line in answer):
                return answer
            await asyncio.sleep(0.1)


# The runtime here knows TLS 1.3 though its names are refused, and would offer it; so the cloud offers nothing newer either.
OPENSSL_CONF = """
openssl_conf = all
[all]
ssl_conf = by_default
[by_default]
system_default = newest
[newest]
MaxProtocol = TLSv1.2
"""


def test_contact_over_tls_1_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(OPENSSL_CONF)
    monkeypatch.setenv("OPENSSL_CONF", str(configuration))

    async def contact() -> list[str]:
        http_port, mqtt_port = free_ports(2)
        bridge = BridgeProcess(http_port, mqtt_port, tmp_path)
        unit = Unit(tmp_path / "unit", program=OLD)
        await bridge.start()
        try:
            made = await bridge.command("unit", "add", "CK-1")
            await unit.start()
            await until(unit, "status", "boots")
            wanted = {"id": "CK-1", "secret": made["secret"], "broker": "127.0.0.1", "port": bridge.mqtts_port}
            for words in (*bridge.authority_words(), f"provision {json.dumps(wanted)}"):
                await unit.ask(words)
            await until(unit, "status", "link proven")
            return await unit.ask("log")
        finally:
            await unit.stop()
            await bridge.stop()

    log = asyncio.run(contact())
    (boot,) = [line for line in log if " boot " in line]
    assert "tls=1.2" in boot
