"""Runs on MicroPython, in a unit, in place of firmware.main: the same firmware on a runtime whose TLS is 1.2 alone.

The names of TLS 1.3 are refused as a stock ESP32 image of MicroPython refuses them. What is spoken is then TLS 1.2.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code=attr-defined
# (MicroPython has no typing module.)

import tls  # type: ignore[import-not-found]  # only MicroPython has it

from firmware.link import secure


class OldContext:
    """Of tls.SSLContext, what the firmware uses."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)
        self.load_verify_locations = self._context.load_verify_locations
        self.wrap_socket = self._context.wrap_socket

    def set_ciphers(self, names):
        if [name for name in names if name.startswith("TLS1-3")]:
            raise OSError(-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")
        self._context.verify_mode = self.verify_mode
        self._context.set_ciphers(names)


class OldTls:
    """Of the module, what the firmware uses."""

    SSLContext = OldContext
    PROTOCOL_TLS_CLIENT, CERT_REQUIRED = tls.PROTOCOL_TLS_CLIENT, tls.CERT_REQUIRED


secure.tls = OldTls

import firmware.main  # noqa: E402, F401  # it does not return
