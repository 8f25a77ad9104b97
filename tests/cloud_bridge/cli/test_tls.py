"""Does the TLS listener present the given certificate, the new one after a renewal, and never a bad one?"""

import argparse
import asyncio
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cloud_bridge.cli import tls
from cloud_bridge.command_line import main
from cloud_bridge.connection_limits import Crowd
from cloud_bridge.errors import AlreadyThere, SettingError
from cloud_bridge.ingest import session
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.settings import Settings
from tests.cloud_bridge.raw import CONNACK_OK, connect_packet, publish_packet
from tests.cloud_bridge.running import DEADLINE_S, Bridge


def make(folder: Path, *names: str) -> Path:
    settings = Settings("127.0.0.1", 0, 0, folder, None)
    tls.run(settings, argparse.Namespace(name=list(names) or None, folder=folder))
    return folder


def certificate_in(folder: Path) -> Certificate:
    return Certificate(folder / "server.pem", folder / "server.key")


def listen(bridge: Bridge, certificate: Certificate) -> int:
    started = bridge.broker.start_tls("127.0.0.1", 0, certificate)
    asyncio.run_coroutine_threadsafe(started, bridge._loop).result(DEADLINE_S)
    assert bridge.broker.tls_port is not None
    return bridge.broker.tls_port


def shake_hands(port: int, ca: Path, name: str = "localhost") -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ca))
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), DEADLINE_S), server_hostname=name)


def test_a_unit_that_pins_our_authority_speaks_mqtt_over_tls_1_3(bridge: Bridge, tmp_path: Path) -> None:
    folder = make(tmp_path / "tls")
    port = listen(bridge, certificate_in(folder))
    with shake_hands(port, folder / "ca.pem") as unit:
        assert unit.version() == "TLSv1.3"
        unit.sendall(connect_packet("cp-1", "cp-1", bridge.add_unit("cp-1").secret))
        assert unit.recv(4) == CONNACK_OK
        unit.sendall(publish_packet("cp/cp-1/heartbeat", b"{}"))
        assert unit.recv(4) == b"\x40\x02\x00\x01"
    assert bridge.read("cp-1")["contact"] == "online"


def test_another_name_and_another_authority_are_refused_by_the_unit(bridge: Bridge, tmp_path: Path) -> None:
    folder, other = make(tmp_path / "tls"), make(tmp_path / "other")
    port = listen(bridge, certificate_in(folder))
    with pytest.raises(ssl.SSLCertVerificationError, match="doesn't match|mismatch"):
        shake_hands(port, folder / "ca.pem", "elsewhere.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(port, other / "ca.pem")


def test_plain_bytes_on_the_tls_port_end_their_connection_and_nothing_else(bridge: Bridge, tmp_path: Path) -> None:
    folder = make(tmp_path / "tls")
    port = listen(bridge, certificate_in(folder))
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as plain:
        plain.sendall(connect_packet("cp-1", "cp-1", "guess"))
        assert CONNACK_OK not in plain.recv(100)
    shake_hands(port, folder / "ca.pem").close()


def test_a_renewed_certificate_is_used_and_a_broken_one_is_not(bridge: Bridge, tmp_path: Path) -> None:
    folder, newer = make(tmp_path / "tls"), make(tmp_path / "newer")
    certificate = certificate_in(folder)
    port = listen(bridge, certificate)
    assert not certificate.look()
    for name in ("server.pem", "server.key"):
        (newer / name).rename(folder / name)
    assert certificate.look()
    shake_hands(port, newer / "ca.pem").close()
    (folder / "server.pem").write_text("half a file")
    assert not certificate.look()
    (folder / "server.key").unlink()
    assert not certificate.look()
    shake_hands(port, newer / "ca.pem").close()


def test_a_certificate_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("nothing")
    with pytest.raises(SettingError, match="CHARGEKEEPER_TLS_CERT") as caught:
        Certificate(tmp_path / "server.pem", tmp_path / "server.pem")
    assert "\n" not in str(caught.value)
    with pytest.raises(SettingError):
        certificate_in(tmp_path / "nowhere")


def test_an_authority_is_not_made_twice_and_its_key_is_private(tmp_path: Path) -> None:
    folder = make(tmp_path / "tls", "bridge.example", "192.0.2.7", "::1")
    assert (folder / "ca.key").stat().st_mode & 0o077 == 0
    assert (folder / "server.key").stat().st_mode & 0o077 == 0
    with pytest.raises(AlreadyThere):
        make(tmp_path / "tls")


@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256"]
)
def test_no_cipher_with_cbc_or_without_forward_secrecy(bridge: Bridge, tmp_path: Path, cipher: str) -> None:
    folder = make(tmp_path / "tls")
    port = listen(bridge, certificate_in(folder))
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="localhost")
    bridge.until(lambda: bridge.counter("failed_handshakes") == 1, "counted")


def test_a_handshake_that_does_not_go_on_is_closed(
    bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is counted from the accept, as for a connection, and no byte extends it."""
    monkeypatch.setattr(session, "CONNECT_OVER_TLS_WITHIN_S", 0.0)
    port = listen(bridge, certificate_in(make(tmp_path / "tls")))
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as stalled:
        stalled.sendall(b"\x16\x03\x01")
        bridge.until(lambda: bridge.broker.connections == 1, "counted before the handshake")
        assert stalled.recv(1) == b""
    bridge.until(lambda: bridge.broker.connections == 0, "forgotten")
    assert bridge.counter("closed_no_connect") == 1


def test_of_too_many_handshakes_the_oldest_goes(bridge: Bridge, tmp_path: Path) -> None:
    """The oldest is closed in the middle of its handshake, while another one completes."""
    folder = make(tmp_path / "tls")
    port = listen(bridge, certificate_in(folder))
    bridge.broker._listener._unproven = Crowd(10, 3)
    with ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE_S)) for _ in range(5)]
        for one in stalled[:2]:
            assert one.recv(1) == b""
        with shake_hands(port, folder / "ca.pem") as unit:
            unit.sendall(connect_packet("cp-1", "cp-1", bridge.add_unit("cp-1").secret))
            assert unit.recv(4) == CONNACK_OK
        assert stalled[2].recv(1) == b""
    assert bridge.counter("closed_crowded") == 3


def test_what_is_no_handshake_ends_its_connection_alone(bridge: Bridge, tmp_path: Path) -> None:
    folder = make(tmp_path / "tls")
    port = listen(bridge, certificate_in(folder))
    with socket.create_connection(("127.0.0.1", port), DEADLINE_S) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while stranger.recv(100):
            pass
    shake_hands(port, folder / "ca.pem").close()
    assert bridge.counter("failed_handshakes") == 1


def test_a_certificate_is_renewed_by_the_authority_that_units_trust(tmp_path: Path) -> None:
    """With its names and more, and for the nodes of a cluster, which use it to log in to each other."""
    folder = tmp_path / "tls"
    assert main(["tls", "make", "--folder", str(folder), "--name", "chargers.example"]) == 0
    authority, before = (folder / "ca.pem").read_bytes(), (folder / "server.pem").read_bytes()
    assert main(["tls", "renew", "--folder", str(folder), "--name", "n1", "--name", "127.0.0.1"]) == 0
    assert (folder / "ca.pem").read_bytes() == authority
    server = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    assert server != x509.load_pem_x509_certificate(before)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["chargers.example", "n1", "127.0.0.1"]
    usages = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usages) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")


def test_without_an_authority_of_ours_nothing_is_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tls", "renew", "--folder", str(tmp_path)]) == 1
    assert "renew the certificate where you got it" in capsys.readouterr().err
