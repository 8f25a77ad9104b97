"""A car maker as a child process: npm's oidc-provider, with a real server's rotation and reuse detection of refresh tokens."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

from hil_tests.fixtures.children import die_with_parent

HERE = Path(__file__).parent
INSTALL_S = 120
READY_LINE = "listening on"


class NoNode(Exception):
    """Node or its packages are missing; the text says which."""


class CarMaker:
    """The car maker, on a port of loopback, until `stop`."""

    def __init__(self, port: int, return_uri: str) -> None:
        """Start it. Raises NoNode."""
        self.address = f"http://127.0.0.1:{port}"
        node = _ready_node()
        self._process = subprocess.Popen(
            [node, "car_maker.mjs", str(port), return_uri],
            cwd=HERE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=die_with_parent,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if READY_LINE not in said:
            raise NoNode(f"oidc-provider did not start: {said!r}")

    def settings(self, public_url: str) -> str:
        """Return vehicles.toml for a bridge that uses it."""
        return f"""public_url = "{public_url}"

[provider.maker]
kind = "generic"
title = "Example Motors"
client_id = "chargekeeper"
issuer = "{self.address}"
authorise_url = "{self.address}/auth"
token_url = "{self.address}/token"
revoke_url = "{self.address}/token/revocation"
api_url = "{self.address}/api"
scopes = ["openid", "offline_access", "vehicle:read"]
"""

    def end_every_grant(self) -> None:
        """End all grants, as when the owner changes the password."""
        request = urllib.request.Request(f"{self.address}/test/revoke", method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _ready_node() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNode("Node is not installed (20 or newer): the car maker of this test runs on it")
    if not (HERE / "node_modules" / "oidc-provider").exists():
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
            check=False,
        )
        if done.returncode != 0:
            raise NoNode(f"oidc-provider cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return node


def in_ci() -> bool:
    """Whether this is CI, where no test may be skipped."""
    return bool(os.environ.get("CI"))
