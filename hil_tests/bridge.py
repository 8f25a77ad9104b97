"""The cloud side as a child process, and its command line."""

import asyncio
import base64
import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hil_tests.children import die_with_parent

CHECKOUT = Path(__file__).resolve().parents[1]
READY_WITHIN_S = 30
COMMAND_WITHIN_S = 90  # a busy machine is no failure
STOP_WITHIN_S = 8
CONSOLE_PIECE = 400  # characters, whole groups of four; a line of the console has 512


class BridgeFailed(Exception):
    """The cloud side did not start, or refused a command; the text is what it said last."""


class Bridge:
    """`python -m cloud_bridge` on given ports and a folder. Its output goes to `log`."""

    def __init__(self, http_port: int, mqtt_port: int, folder: Path, api_token: str | None = None) -> None:
        self.address = f"http://127.0.0.1:{http_port}"
        self.log = folder / "bridge.log"
        self.mqtts_port = int(os.environ.get("CHARGEKEEPER_MQTTS_PORT") or 0) or free_ports(1)[0]
        self._tls = folder / "tls"
        self._environment = {
            **os.environ,
            "CHARGEKEEPER_MQTTS_PORT": str(self.mqtts_port),
            "CHARGEKEEPER_TLS_CERT": str(self._tls / "server.pem"),
            "CHARGEKEEPER_TLS_KEY": str(self._tls / "server.key"),
            "CHARGEKEEPER_HTTP_PORT": str(http_port),
            "CHARGEKEEPER_MQTT_PORT": str(mqtt_port),
            "CHARGEKEEPER_DATA": str(folder),
        }
        if api_token is not None:
            self._environment["CHARGEKEEPER_API_TOKEN"] = api_token
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it and waits until it answers, with a certificate authority of its own. Raises BridgeFailed."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not self._tls.exists():
            await self.command("tls", "make", "--folder", str(self._tls))
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cloud_bridge",
                cwd=CHECKOUT,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us alone; we stop our children ourselves
                preexec_fn=die_with_parent,
            )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await asyncio.to_thread(_answers, f"{self.address}/healthz"):
                    if self._process.returncode is not None:
                        raise BridgeFailed(self._last_words())
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise BridgeFailed(f"it did not answer within {READY_WITHIN_S} s; see {self.log}") from None

    def authority_words(self) -> list[str]:
        """What to say on a unit's console so that it trusts this bridge, once it has been started."""
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert((self._tls / "ca.pem").read_text())).decode()
        pieces = [der[at : at + CONSOLE_PIECE] for at in range(0, len(der), CONSOLE_PIECE)]
        return ["authority begin", *(f"authority add {piece}" for piece in pieces), "authority keep"]

    async def ended(self) -> str:
        """Waits until it stops by itself; returns what it said last."""
        assert self._process is not None
        code = await self._process.wait()
        return f"exit code {code}: {self._last_words()}"

    async def stop(self) -> None:
        """Asks it to end, and ends it if it does not."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def kill(self) -> None:
        """Ends it as a crash would, in the middle of whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def command(self, *words: str) -> dict[str, Any]:
        """`python -m cloud_bridge WORDS --json`, while it runs. Raises BridgeFailed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "cloud_bridge",
            *words,
            "--json",
            cwd=CHECKOUT,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        async with asyncio.timeout(COMMAND_WITHIN_S):
            said, complained = await process.communicate()
        if process.returncode != 0:
            raise BridgeFailed(_last_line(complained.decode("utf-8", "replace")))
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _last_words(self) -> str:
        return _last_line(self.log.read_text("utf-8", "replace"))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "(it said nothing)")


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses now, chosen by the system; found together so that they differ."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
