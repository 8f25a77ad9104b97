"""A stand-in for MicroPython's module `tls`. A unit creates a context at each start, but these stories use MQTT without
TLS.

bounds.bytes_on_air counts what TLS would add on the air.
"""

PROTOCOL_TLS_CLIENT = 0
CERT_REQUIRED = 2


class SSLContext:
    """Accepts every setting."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol
        self.verify_mode = 0
        self.verify_callback: object = None

    def set_ciphers(self, names: object) -> None:
        """Accept any cipher names."""

    def load_verify_locations(self, der: bytes) -> None:
        """Accept any certificate."""
