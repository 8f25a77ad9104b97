"""A serial line whose ends may be set to different speeds: then each end receives only noise."""

import random
from collections.abc import Callable

ANY = 0  # AT+IPR=0: the modem detects the client's speed. gammu sets B0, which names no speed either


class LineSpeed:
    """A line. `modem` and `client` return the present speed of each end in baud."""

    def __init__(self, modem: Callable[[], int], client: Callable[[], int], source: random.Random) -> None:
        self._modem = modem
        self._client = client
        self._random = source

    def heard(self, chunk: bytes) -> bytes:
        """Return the bytes that one end receives when the other sends `chunk`."""
        modem, client = self._modem(), self._client()
        if modem == client or ANY in (modem, client):
            return chunk
        return self._random.randbytes(len(chunk))
