"""The certificate of the TLS listener, loaded at the start and again when its files change.

A renewed certificate is used from the next handshake on, and open connections are not affected. If it cannot be loaded,
the old one stays in use and an error is logged.
"""

import logging
import ssl
from pathlib import Path

from cloud_bridge.errors import SettingError

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # for TLS 1.2: those of the firmware, none with CBC or without forward secrecy

_log = logging.getLogger(__name__)


class Certificate:
    """A certificate chain and its key, in two PEM files."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Load the files. Raises SettingError if they cannot be used."""
        self._files = (chain, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2  # units use 1.3; a service tool may not
        self.context.set_ciphers(CIPHERS)
        try:
            self._seen = self._stamp()
            self.context.load_cert_chain(chain, key)
        except (OSError, ssl.SSLError) as error:
            files = "CHARGEKEEPER_TLS_CERT and CHARGEKEEPER_TLS_KEY"
            raise SettingError(f"cannot use the certificate {chain}: {error}; {files} name two PEM files") from error

    def look(self) -> bool:
        """Load the files again if they have changed. Return True if a new certificate is in use."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp  # each version of the files is tried once
            # Load into a separate context first: a key that does not match must not break the one in use.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            _log.error("the new TLS certificate cannot be used, keeping the old one: %s", error)
            return False
        _log.warning("loaded the new TLS certificate")
        return True

    def _stamp(self) -> list[tuple[int, int]]:
        return [(status.st_mtime_ns, status.st_ino) for status in (path.stat() for path in self._files)]
