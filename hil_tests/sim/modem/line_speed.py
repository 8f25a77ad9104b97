"""A line whose ends may be set to different speeds: then each hears only noise of what the other says."""

import random
from collections.abc import Callable

ANY = 0  # AT+IPR=0: the modem takes the speed of whoever talks to it. gammu sets B0, which says nothing either


class LineSpeed:
    """`modem` and `client` tell the speed of each end in baud, as it is now."""

    def __init__(self, modem: Callable[[], int], client: Callable[[], int], source: random.Random) -> None:
        self._modem = modem
        self._client = client
        self._random = source

    def heard(self, chunk: bytes) -> bytes:
        """What the one end hears when the other says `chunk`."""
        modem, client = self._modem(), self._client()
        if modem == client or ANY in (modem, client):
            return chunk
        return self._random.randbytes(len(chunk))
