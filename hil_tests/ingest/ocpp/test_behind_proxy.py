"""Do the configurations in cloud_bridge/deploy work: a charger behind nginx or Caddy, with a password or a certificate?"""

import asyncio
import base64
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from hil_tests.environment.errors import SetUpError
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.ports import free_ports
from hil_tests.web.caddy import Caddy, find_caddy
from hil_tests.web.nginx import Nginx, find_nginx

PAGE = CHECKOUT / "cloud_bridge" / "deploy" / "proxies.md"
WITHIN_S = 60.0


class Proxied(NamedTuple):
    """A bridge behind a proxy, and its chargers' keys."""

    cloud: CloudFixture
    port: int  # the proxy's
    keys: dict[str, str]
    folder: Path  # contains the certificates

    def tls(self, certificate: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "tls" / "ca.pem")
        context.check_hostname = False
        if certificate is not None:
            context.load_cert_chain(self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
        return context

    async def beat(self, unit_id: str, headers: dict[str, str], certificate: str | None = None) -> str:
        """Return the answer to a Heartbeat. Raises InvalidStatus."""
        async with connect(
            f"wss://localhost:{self.port}/ocpp/{unit_id}",
            ssl=self.tls(certificate),
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers=headers,
            proxy=None,
        ) as socket:
            await socket.send('[2,"1","Heartbeat",{}]')
            return str(await socket.recv())


def lines_of(kind: str) -> str:
    sections: list[str] = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return next(section for section in sections if "/ocpp/" in section)


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=WITHIN_S)


def make_certificates(folder: Path) -> None:
    """Make the certificates of two chargers, signed by their maker's authority."""
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(
        folder, "req", "-x509", *new, "-keyout", "maker.key", "-out", "chargers.pem", "-subj", "/CN=Maker", "-days", "2"
    )
    for name in ("certified", "other"):
        openssl(
            folder, "req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/O=Maker, Inc./CN={name}"
        )
        signed = ["-CA", "chargers.pem", "-CAkey", "maker.key", "-CAcreateserial", "-days", "2"]
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")


def start(kind: str, folder: Path, cloud_port: int, port: int) -> Any:
    """Start the proxy with the configuration of the page, on this port. The result has `close`."""
    lines = lines_of(kind)
    for written, here in {
        r"listen 443": f"listen 127.0.0.1:{port}",
        r" *listen \[::\]:443 ssl;\n": "",
        r"^ocpp\.example": f"https://localhost:{port}",
        r"/etc/ssl/chargers\.pem": str(folder / "chargers.pem"),
        r"/etc/ssl/[a-z./]*\.pem": str(folder / "tls" / "server.pem"),
        r"/etc/ssl/[a-z./]*\.key": str(folder / "tls" / "server.key"),
        r"127\.0\.0\.1:8887": f"127.0.0.1:{cloud_port}",
    }.items():
        lines = re.sub(written, here, lines)
    if kind == "nginx":
        return Nginx(find_nginx(), folder / "nginx", lines, port)
    return Caddy(find_caddy(), folder / "caddy", lines, port)


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp(request.param)
    plain, port = free_ports(2)
    environment = {"CHARGEKEEPER_OCPP_PORT": str(plain), "CHARGEKEEPER_PROXIES": "127.0.0.1,::1"}
    cloud = CloudFixture(folder, environment=environment, tls=True)
    cloud.start()
    proxy = None
    try:
        make_certificates(folder)
        added = cloud.commands(*(["unit", "add", unit_id, "--ocpp"] for unit_id in ("wall", "certified")))
        try:
            proxy = start(request.param, folder, plain, port)
        except SetUpError as error:
            pytest.skip(f"no {request.param}: {error}")
        yield Proxied(cloud, port, {str(one["id"]): str(one["secret"]) for one in added}, folder)
    finally:
        if proxy is not None:
            proxy.close()
        cloud.stop()


def basic(unit_id: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{unit_id}:{key}'.encode()).decode()}"}


def status_of(proxied: Proxied, unit_id: str, headers: dict[str, str], certificate: str | None = None) -> int:
    try:
        asyncio.run(proxied.beat(unit_id, headers, certificate))
    except InvalidStatus as refused:
        return refused.response.status_code
    return 101


def test_a_charger_comes_through_with_its_password(proxied: Proxied) -> None:
    assert "currentTime" in asyncio.run(proxied.beat("wall", basic("wall", proxied.keys["wall"])))
    assert proxied.cloud.charge_point("wall")["contact"] == "online"
    assert status_of(proxied, "wall", basic("wall", "wrong")) == 401


def test_a_charger_comes_through_with_its_certificate_and_with_no_other(proxied: Proxied) -> None:
    assert "currentTime" in asyncio.run(proxied.beat("certified", {}, "certified"))
    assert status_of(proxied, "certified", {}, "other") == 401
    assert status_of(proxied, "certified", {}) == 401


def test_what_a_charger_says_of_its_certificate_itself_is_not_believed(proxied: Proxied) -> None:
    assert status_of(proxied, "certified", {"X-Client-Subject": "CN=certified"}) == 401
    assert status_of(proxied, "certified", {"x-client-subject": "CN=certified"}, "other") == 401
