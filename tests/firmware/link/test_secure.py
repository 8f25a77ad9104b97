"""Does TLS observe its deadlines with any far end? For trust, see hil_tests/link."""

import errno

import pytest

from firmware.link.secure import HANDSHAKE_S, SecureStream, WrongCertificate
from tests.firmware.link.fake_clock import FakeClock

BYTE_MS = 5000
RECORD_BYTES = 16384  # the maximum


class Drip:
    """A stream whose far end sends a byte now and then, and a `tls` that needs a whole record."""

    def __init__(self):
        self.clock = FakeClock()
        self.handshake_bytes = RECORD_BYTES
        self.verified = b"SHA-256"
        self.is_closed = False
        self._timeout_ms = 0

    def connect(self, host, port, timeout_ms):
        pass

    def close(self):
        self.is_closed = True

    def settimeout(self, seconds):
        self._timeout_ms = int(seconds * 1000)

    def readinto(self, buffer):
        self.clock.now += min(BYTE_MS, self._timeout_ms)
        if self._timeout_ms < BYTE_MS:
            raise OSError(errno.ETIMEDOUT)
        return 1

    def context(self):
        return self

    def wrap_socket(self, pipe, server_hostname):
        self._pipe = pipe
        for _ in range(self.handshake_bytes):
            pipe.readinto(bytearray(1))
        return self

    def read(self, most):
        for _ in range(RECORD_BYTES):
            if self._pipe.readinto(bytearray(1)) is None:
                return None
        return b"x" * most


def over(drip, may_stall=lambda: True):
    return SecureStream(drip, drip, drip.clock, may_stall)


def test_a_handshake_is_given_up_as_soon_as_the_processor_may_not_stall():
    """Between two steps of the handshake, and not after it."""
    drip = Drip()
    answers = [True, True, False]
    with pytest.raises(OSError) as busy:
        over(drip, lambda: answers.pop(0)).connect("broker.example", 8883, 1000)
    assert busy.value.args[0] == errno.ECONNABORTED and not answers
    drip.handshake_bytes = 2
    answers = [True, True]
    stream = over(drip, lambda: answers.pop(0))
    stream.connect("broker.example", 8883, 1000)
    assert not answers
    drip._pipe.write = stream._stream.readinto
    stream.settimeout(BYTE_MS * RECORD_BYTES)
    assert stream.read(1) == b"x"


def test_an_authority_that_was_given_up_is_not_trusted_though_its_certificate_is_still_loaded():
    drip = Drip()
    drip.handshake_bytes, drip.verified = 2, None
    with pytest.raises(WrongCertificate):
        over(drip).connect("broker.example", 8883, 1000)


def test_a_handshake_that_drips_is_given_up():
    drip = Drip()
    with pytest.raises(OSError) as late:
        over(drip).connect("broker.example", 8883, 1000)
    assert late.value.args[0] == errno.ETIMEDOUT
    assert drip.clock.now <= 1000 * HANDSHAKE_S + BYTE_MS


def test_a_record_that_drips_does_not_outlast_the_deadline_of_its_reader():
    drip = Drip()
    drip.handshake_bytes = 2
    stream = over(drip)
    stream.connect("broker.example", 8883, 1000)
    begun_ms = drip.clock.now
    stream.settimeout(20)
    with pytest.raises(OSError) as late:
        stream.read(1)
    assert late.value.args[0] == errno.ETIMEDOUT
    assert drip.clock.now - begun_ms <= 20000 + BYTE_MS


def test_a_look_at_what_is_there_already_waits_for_nothing():
    drip = Drip()
    drip.handshake_bytes = 2
    stream = over(drip)
    stream.connect("broker.example", 8883, 1000)
    begun_ms = drip.clock.now
    stream.settimeout(0)
    with pytest.raises(OSError) as nothing:
        stream.read(1)
    assert nothing.value.args[0] == errno.ETIMEDOUT and drip.clock.now == begun_ms


def test_what_is_not_connected_has_no_deadline():
    with pytest.raises(OSError) as not_connected:
        over(Drip()).settimeout(1)
    assert not_connected.value.args[0] == errno.ENOTCONN


def test_what_is_closed_is_closed_down_to_the_modem():
    drip = Drip()
    drip.handshake_bytes = 2
    stream = over(drip)
    stream.connect("broker.example", 8883, 1000)
    stream.close()
    assert drip.is_closed
    with pytest.raises(OSError) as not_connected:
        stream.read(1)
    assert not_connected.value.args[0] == errno.ENOTCONN
