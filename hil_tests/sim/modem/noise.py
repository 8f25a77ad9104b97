"""A disturbed line between modem and client: bytes are lost, and URCs appear at any byte.

A real modem does not interrupt its own lines, but lost bytes have the same effect, and clients have been seen to join
separate lines. The same seed disturbs the same bytes.
"""

import random
import re
from collections.abc import Callable

URCS = (
    "+CREG: 0",
    '+CREG: 5,"01F4","2A3B"',
    '+CGREG: 5,"01F4","2A3B"',
    "+CSQN: 17,0",
    '*PSUTTZ: 2025,3,4,10,20,30,"+0",0',
    "DST: 0",
    "UNDER-VOLTAGE WARNNING",
    "RING",
    "+CMTI: \"SM\",3",
    "Call Ready",
)  # fmt: skip


ANSWERED = re.compile(rb"\r\n(OK|ERROR|\+CM[ES] ERROR: [^\r]*)\r\n\Z")


class Noise:
    """A disturbed line; `send` is the clean line. One byte in `lose_one_in` is lost, and a URC precedes one byte in
    `urc_one_in`. 0 means never.

    With `urc_each_answer` every answer gets exactly one URC, before one of its bytes or at its end. The answer is sent
    when its final result is complete.
    """

    def __init__(
        self, send: Callable[[bytes], None], source: random.Random, urc_one_in: int = 0, lose_one_in: int = 0
    ) -> None:
        self._send = send
        self._random = source
        self._answer = b""
        self.urc_one_in = urc_one_in
        self.lose_one_in = lose_one_in
        self.urc_each_answer = False
        self.urcs = 0
        self.lost = 0

    def write(self, chunk: bytes) -> None:
        """Send bytes, with the disturbances."""
        if self.urc_each_answer:
            self._answer += chunk
            if not ANSWERED.search(self._answer):
                return
            place = self._random.randrange(len(self._answer) + 1)
            chunk, self._answer = self._answer[:place] + self._urc() + self._answer[place:], b""
        if self.urc_one_in or self.lose_one_in:
            chunk = self._disturbed(chunk)
        self._send(chunk)

    def _disturbed(self, chunk: bytes) -> bytes:
        passed = bytearray()
        for byte in chunk:
            if self._hits(self.urc_one_in):
                passed += self._urc()
            if self._hits(self.lose_one_in):
                self.lost += 1
            else:
                passed.append(byte)
        return bytes(passed)

    def _urc(self) -> bytes:
        self.urcs += 1
        return f"\r\n{self._random.choice(URCS)}\r\n".encode()

    def _hits(self, one_in: int) -> bool:
        return bool(one_in) and self._random.randrange(one_in) == 0
