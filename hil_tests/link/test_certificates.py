"""Which servers does the unit trust? Its own TLS on MicroPython, against servers with good and bad certificates."""

import datetime
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

CHECKOUT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.prefix) / "bin" / "micropython"
NOW = datetime.datetime.now(datetime.UTC)
ACCEPT_S = 60  # the longest wait for a connection
WITHIN_S = 120
DAY = datetime.timedelta(days=1)

Key = ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority of one test. It and its certificates are valid from `since` on."""

    def __init__(
        self,
        since: datetime.datetime = NOW - 9 * DAY,
        until: datetime.datetime = NOW + 2 * DAY,
        key: Key | rsa.RSAPrivateKey | None = None,
    ) -> None:
        self._since = since
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        draft = self._draft(self.name, self.key, until).add_extension(constraints, critical=True)
        self.certificate = draft.sign(self.key, hashes.SHA256())

    def issue(self, folder: Path, host: str, until: datetime.datetime = NOW + DAY) -> Path:
        """Write a server's key and certificate to one PEM file, and return its path."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = self._draft(subject, key, until).add_extension(names, False).sign(self.key, hashes.SHA256())
        return _pem(folder, key, certificate)

    def itself(self, folder: Path) -> Path:
        """Write the authority's own key and certificate, which a self-signed server would show."""
        return _pem(folder, self.key, self.certificate)

    def _draft(
        self, subject: x509.Name, key: Key | rsa.RSAPrivateKey, until: datetime.datetime
    ) -> x509.CertificateBuilder:
        draft = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        return draft.serial_number(x509.random_serial_number()).not_valid_before(self._since).not_valid_after(until)

    def der(self, folder: Path, name: str = "ca.der") -> Path:
        path = folder / name
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.DER))
        return path


def _pem(folder: Path, key: Key | rsa.RSAPrivateKey, certificate: x509.Certificate) -> Path:
    path = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def serving(pem: Path, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, ciphers: str = "DEFAULT") -> Iterator[int]:
    """Run a TLS server for one connection, and yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    context.set_ciphers(ciphers)  # of TLS 1.2
    context.load_cert_chain(pem)
    with create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(ACCEPT_S)

        def answer() -> None:
            with suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join()


def word_of_the_unit(host: str, port: int, authority: Path | str, *runtime: str) -> str:
    done = subprocess.run(
        [MICROPYTHON, "tests/firmware/link/handshake.py", host, str(port), authority, *runtime],
        cwd=CHECKOUT,
        env={**os.environ, "MICROPYPATH": ".frozen:."},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=True,
    )
    return done.stdout.strip().replace("\n", " ")


def test_its_own_authority_and_the_right_name(tmp_path: Path) -> None:
    authority = Authority()
    with serving(authority.issue(tmp_path, "broker.example")) as port:
        assert word_of_the_unit("broker.example", port, authority.der(tmp_path)) == "trusted, TLS 1.3"


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("another name", "does not match"),
        ("expired", "validity has expired"),
        ("another authority", "not correctly signed"),
        ("self-signed", "not correctly signed"),
        ("an older TLS", "handshake"),
    ],
)
def test_what_is_refused(tmp_path: Path, trouble: str, says: str) -> None:
    authority, other = Authority(), Authority()
    host = "evil.example" if trouble == "another name" else "broker.example"
    signer = other if trouble == "another authority" else authority
    pem = signer.issue(tmp_path, host, NOW - DAY if trouble == "expired" else NOW + DAY)
    if trouble == "self-signed":
        pem = other.itself(tmp_path)
    newest = ssl.TLSVersion.TLSv1_2 if trouble == "an older TLS" else ssl.TLSVersion.TLSv1_3
    with serving(pem, newest) as port:
        said = word_of_the_unit("broker.example", port, authority.der(tmp_path))
    assert said.startswith("refused: ") and says in said


def two(folder: Path, present: Authority, following: Authority) -> str:
    """Return the unit's two authorities during a change, as one argument."""
    return f"{present.der(folder)},{following.der(folder, 'next.der')}"


@pytest.mark.parametrize("runtime", [(), ("old",)])
@pytest.mark.parametrize("algorithm", ["EC", "RSA"])
def test_of_two_authorities_either_will_do(tmp_path: Path, algorithm: str, runtime: tuple[str, ...]) -> None:
    """The authorities have the same name. Does the unit report which of them it was?"""
    key = rsa.generate_private_key(65537, 2048) if algorithm == "RSA" else None
    present, following = Authority(), Authority(key=key)
    trusted = two(tmp_path, present, following)
    newest = ssl.TLSVersion.TLSv1_2 if runtime else ssl.TLSVersion.TLSv1_3
    words = []
    for signer in (present, following):
        with serving(signer.issue(tmp_path, "broker.example"), newest) as port:
            words.append(word_of_the_unit("broker.example", port, trusted, *runtime))
    version = "1.2" if runtime else "1.3"
    assert words == [f"trusted, TLS {version}", f"trusted, TLS {version} by the second"]


@pytest.mark.parametrize(("signed_by", "says"), [("neither", "not correctly signed"), ("expired", "expired")])
def test_what_two_authorities_do_not_vouch_for_is_refused(tmp_path: Path, signed_by: str, says: str) -> None:
    expired = Authority(until=NOW - DAY)
    signer = expired if signed_by == "expired" else Authority()
    with serving(signer.issue(tmp_path, "broker.example")) as port:
        said = word_of_the_unit("broker.example", port, two(tmp_path, Authority(), expired))
    assert said.startswith("refused: ") and says in said


def test_a_stored_certificate_that_tls_cannot_use_leaves_the_other_one(tmp_path: Path) -> None:
    authority = Authority()
    trusted = two(tmp_path, authority, authority)
    (tmp_path / "ca.der").write_bytes(b"\x30\x82\x00\x10" + bytes(16))
    with serving(authority.issue(tmp_path, "broker.example")) as port:
        assert word_of_the_unit("broker.example", port, trusted) == "trusted, TLS 1.3"


def test_without_an_authority_it_does_not_even_connect(tmp_path: Path) -> None:
    assert "no certificate authority" in word_of_the_unit("broker.example", 1, tmp_path / "none")


@pytest.mark.parametrize("ciphers", ["ECDHE+AESGCM", "DEFAULT"])
def test_a_runtime_without_tls_1_3_falls_back_to_1_2(tmp_path: Path, ciphers: str) -> None:
    """A stock ESP32 image of MicroPython is such a runtime. It raises an error for each TLS 1.3 cipher."""
    authority = Authority()
    with serving(authority.issue(tmp_path, "broker.example"), ssl.TLSVersion.TLSv1_2, ciphers) as port:
        said = word_of_the_unit("broker.example", port, authority.der(tmp_path), "old")
    assert said == "trusted, TLS 1.2"


@pytest.mark.parametrize(
    ("host", "ciphers", "says"),
    [
        ("evil.example", "ECDHE+AESGCM", "does not match"),
        ("broker.example", "ECDHE+AES+SHA256:!AESGCM", "handshake"),  # CBC
        ("broker.example", "ECDHE+AES+SHA1", "handshake"),
    ],
)
def test_what_is_refused_with_tls_1_2_too(tmp_path: Path, host: str, ciphers: str, says: str) -> None:
    authority = Authority()
    with serving(authority.issue(tmp_path, host), ssl.TLSVersion.TLSv1_2, ciphers) as port:
        said = word_of_the_unit("broker.example", port, authority.der(tmp_path), "old")
    assert said.startswith("refused: ") and says in said
