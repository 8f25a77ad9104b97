"""Whom does the unit trust, and when is that read again? With a stand-in for mbedTLS; hil_tests/link asks the real one."""

import hashlib
from types import SimpleNamespace

import pytest

from firmware.link import secure
from firmware.link.secure import CIPHERS, NotTrusted, SecureStream, Trust, WrongCertificate

FIRST, SECOND, UNUSABLE = b"first", b"second", b"unusable"


def digest(der):
    return hashlib.sha256(der).digest()


class Context:
    """Of tls.SSLContext; `unknown`: what the names of ciphers begin with that this runtime lacks."""

    unknown: tuple[str, ...] = ()

    def __init__(self, protocol):
        assert protocol == "client"
        self.ciphers, self.loaded = (), []
        self.ends_with: BaseException | None = None  # each handshake

    def set_ciphers(self, names):
        if [name for name in names if name.startswith(self.unknown)]:
            raise OSError(-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")
        self.ciphers = tuple(names)

    def load_verify_locations(self, der):
        if der == UNUSABLE:
            raise ValueError("invalid cert")
        self.loaded.append(der)

    def wrap_socket(self, pipe, server_hostname):
        if self.ends_with:
            raise self.ends_with
        assert server_hostname == "broker.example"
        self.verify_callback(FIRST, 1)
        return pipe


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(
        secure, "tls", SimpleNamespace(SSLContext=Context, PROTOCOL_TLS_CLIENT="client", CERT_REQUIRED="required")
    )
    monkeypatch.setattr(Context, "unknown", ("none of them",))


class Authority:
    """Of storage.authority."""

    def __init__(self, *certificates):
        self.kept, self._certificates = 0, certificates

    def certificates(self):
        return list(self._certificates)

    def keep(self, *certificates):
        self.kept, self._certificates = self.kept + 1, certificates


@pytest.mark.parametrize(("unknown", "version"), [(("none of them",), "1.3"), (("TLS1-3",), "1.2")])
def test_the_newest_version_that_the_runtime_has_is_spoken_alone(monkeypatch, unknown, version):
    monkeypatch.setattr(Context, "unknown", unknown)
    trust = Trust(Authority(FIRST))
    assert trust.tls_version == version
    assert trust.context().ciphers == dict(CIPHERS)[version]


def test_a_cipher_that_the_runtime_lacks_is_left_out(monkeypatch):
    monkeypatch.setattr(Context, "unknown", ("TLS1-3-CHACHA20", "TLS1-3-AES-256"))
    assert Trust(Authority(FIRST)).context().ciphers == ("TLS1-3-AES-128-GCM-SHA256",)


def test_a_runtime_without_any_is_not_used(monkeypatch):
    monkeypatch.setattr(Context, "unknown", ("TLS",))
    with pytest.raises(NotTrusted):
        Trust(Authority(FIRST))


def test_every_certificate_is_demanded_and_compared_with_those_that_were_given():
    trust = Trust(Authority(FIRST, SECOND))
    context = trust.context()
    assert context.verify_mode == "required" and context.loaded == [FIRST, SECOND]
    assert trust.digests == [digest(FIRST), digest(SECOND)] and trust.verified is None
    assert context.verify_callback(b"the broker's own", 0) == 0 and trust.verified is None
    assert context.verify_callback(SECOND, 1) == 0 and trust.verified == digest(SECOND)
    assert trust.context() is context and trust.verified is None


def test_a_certificate_that_tls_cannot_use_leaves_the_other_one():
    trust = Trust(Authority(UNUSABLE, SECOND))
    assert trust.digests == [digest(SECOND)] and trust.context().loaded == [SECOND]


@pytest.mark.parametrize("certificates", [(), (UNUSABLE,)])
def test_without_an_authority_there_is_no_connection(certificates):
    with pytest.raises(NotTrusted, match="no certificate authority"):
        Trust(Authority(*certificates)).context()


def test_what_was_kept_since_is_read_again_and_once():
    authority = Authority()
    trust = Trust(authority)
    authority.keep(FIRST)
    context = trust.context()
    assert trust.digests == [digest(FIRST)]
    assert trust.context() is context
    authority.keep(SECOND)
    assert trust.context().loaded == [SECOND] and trust.digests == [digest(SECOND)]


class Stream:
    """Of modem.stream.Stream."""

    def connect(self, *target):
        self.target = target

    def settimeout(self, seconds):
        self.timeout_s = seconds


class Clock:
    def now_ms(self):
        return 0


def connected(ends_with=None):
    """The stream that carried a handshake, which may end with an error."""
    trust, stream = Trust(Authority(FIRST)), Stream()
    trust.loaded.ends_with = ends_with
    SecureStream(stream, trust, Clock()).connect("broker.example", 8883, 1000)
    return stream


def test_a_connection_is_made_to_whom_we_call():
    stream = connected()
    assert stream.target == ("broker.example", 8883, 1000) and stream.timeout_s == secure.HANDSHAKE_S


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (ValueError("The certificate has expired\n"), WrongCertificate, "The certificate has expired"),
        (OSError(-29312, "MBEDTLS_ERR_SSL_CONN_EOF"), NotTrusted, "handshake: "),
        (OSError(110, "ETIMEDOUT"), TimeoutError, "ETIMEDOUT"),
    ],
    ids=["certificate", "handshake", "the modem's"],
)
def test_why_no_hands_were_shaken(error, raised, words):
    with pytest.raises(raised) as refused:
        connected(error)
    assert type(refused.value) is raised and words in str(refused.value)
    assert not str(refused.value).endswith("\n")
