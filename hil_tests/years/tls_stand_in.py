"""MicroPython's `tls` by name: a context can be made, as at each start of a unit; units of this world talk MQTT without it.

What TLS would add on the air is counted by bounds.bytes_on_air.
"""

PROTOCOL_TLS_CLIENT = 0
CERT_REQUIRED = 2


class SSLContext:
    """Takes whatever a client asks for."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol
        self.verify_mode = 0
        self.verify_callback: object = None

    def set_ciphers(self, names: object) -> None:
        """All are known."""

    def load_verify_locations(self, der: bytes) -> None:
        """Any will do."""
