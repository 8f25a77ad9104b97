"""The certificate of the TLS listener: loaded at the start, and again when its files change.

A renewed certificate is used for the next handshake; connections that stand are not disturbed. One that cannot be
loaded leaves the old one in use and says so.
"""

import logging
import ssl
from pathlib import Path

from cloud_bridge.errors import SettingError

CIPHERS = (
    "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2: those of the firmware; none with CBC, none without forward secrecy
)

_log = logging.getLogger(__name__)


class Certificate:
    """A chain and its key in two PEM files."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises SettingError when they cannot be used."""
        self._files = (chain, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2  # units speak 1.3; a service tool may not
        self.context.set_ciphers(CIPHERS)
        try:
            self._seen = self._stamp()
            self.context.load_cert_chain(chain, key)
        except (OSError, ssl.SSLError) as error:
            files = "CHARGEKEEPER_TLS_CERT and CHARGEKEEPER_TLS_KEY"
            raise SettingError(f"cannot use the certificate {chain}: {error}; {files} name two PEM files") from error

    def look(self) -> bool:
        """Load it again if the files have changed. True when it did."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp  # whatever is in them now is tried once
            # Into a context of its own first: a key that does not fit must not spoil the one in use.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
        except (OSError, ssl.SSLError) as error:
            _log.error("the new certificate cannot be used, the old one stays: %s", error)
            return False
        _log.warning("a new certificate is in use")
        return True

    def _stamp(self) -> list[tuple[int, int]]:
        return [(status.st_mtime_ns, status.st_ino) for status in (path.stat() for path in self._files)]
