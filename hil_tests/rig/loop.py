"""A bench without hardware: `python -m hil_tests.rig.loop FOLDER` runs a virtual unit behind three serial lines.

The unit's own ports exist only while it has power. These three lines stay, like the adapters of a bench.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from hil_tests.rig import instrument
from hil_tests.rig.hardware import Hardware, Send
from hil_tests.rig.processor import FIRMWARE, Program
from hil_tests.sim.pty import Pty

LINKS = {"console": "bench-console", "modem": "bench-modem", "instrument": "bench-instrument"}  # in FOLDER
LINE_LIMIT_BYTES = 128


class Loop(Hardware):
    """The unit, and the instrument on its wires."""

    def __init__(self, folder: Path, program: Program = FIRMWARE) -> None:
        super().__init__(folder, program)
        self._console_line = Pty(lambda chunk: self._to_console_port(chunk), folder / LINKS["console"])
        self._modem_line = Pty(lambda chunk: self._to_modem_port(chunk), folder / LINKS["modem"])
        self._instrument_line = Pty(self._hear, folder / LINKS["instrument"])
        self._unfinished = b""
        self._pins = (False, False)
        self._disconnect()

    def log(self, what: str) -> None:
        """Print a line for the log."""
        print(what, flush=True)

    alert = log

    def close(self) -> None:
        """Remove the lines."""
        for line in (self._console_line, self._modem_line, self._instrument_line):
            line.close()

    def _connect(self, to_modem_port: Send, to_console_port: Send) -> tuple[Send, Send]:
        self._to_modem_port, self._to_console_port = to_modem_port, to_console_port
        return self._modem_line.write, self._console_line.write

    def _disconnect(self) -> None:
        self._to_modem_port = self._to_console_port = lambda _: None

    def _modem_pins(self, supply: bool, key: bool) -> None:
        self._pins = (supply, key)
        self._say(self._pin_remarks())

    def _pin_remarks(self) -> list[str]:
        return [
            f"# {name} {'on' if on else 'off'}"
            for name, on in zip(("modem_supply", "modem_key"), self._pins, strict=True)
        ]

    def _say(self, lines: list[str]) -> None:
        self._instrument_line.write("".join(line + "\r\n" for line in lines).encode())

    def _hear(self, chunk: bytes) -> None:
        *lines, self._unfinished = (self._unfinished + chunk).replace(b"\r", b"\n").split(b"\n")
        self._unfinished = self._unfinished[-LINE_LIMIT_BYTES:]
        for line in lines:
            if line.strip():
                self._command(line.decode("ascii", "replace").split())

    def _command(self, words: list[str]) -> None:
        self._say(self._answer(words))

    def _answer(self, words: list[str]) -> list[str]:
        try:
            match words:
                case ["read"]:
                    return [*instrument.written(self.reading()), "ok"]
                case ["pins"]:
                    return [*self._pin_remarks(), "ok"]
                case ["plug"]:
                    self.plug()
                case ["unplug"]:
                    self.unplug()
                case ["button"]:
                    self.button()
                case ["mains", "on" | "off" as level]:
                    self.mains(level == "on")
                case ["fault", name, "on" | "off" as level]:
                    self.fault(name, level == "on")
                case _:
                    return [f"error no command {' '.join(words)}"]
        except ValueError as error:
            return [f"error {error}"]
        return ["ok"]


async def _live(folder: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    loop = Loop(folder)
    await loop.start()
    try:
        await stop.wait()
    finally:
        await loop.stop()
        loop.close()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hil_tests.rig.loop", description="A virtual unit behind serial lines."
    )
    parser.add_argument("folder", type=Path, help="for the unit's flash and the links to the lines")
    asyncio.run(_live(parser.parse_args().folder.absolute()))


if __name__ == "__main__":
    main()
