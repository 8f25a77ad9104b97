"""The contract of a board, and the blueprint to copy for a new one: one file, every wire named. What its wires carry, with
units and safe states, are the fields of charging.io.Inputs and Outputs.

Before anything else a board puts its outputs into the safe state: contactor open, pilot held at F by its pull resistor,
modem off. Then it starts its watchdog, before anything that could hang. A reset of the processor must make the outputs safe by
hardware alone, since PWM goes on while Python hangs.
"""

PROGRAM_BYTES = 128  # progsize of the littlefs: files of up to four times this live in its metadata (storage/outbox.py)

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Protocol

    from firmware.charging.io import Inputs, Outputs
    from firmware.clock import Clock

    class ModemPort(Protocol):
        def set_baud(self, baud: int) -> None: ...
        def read(self) -> bytes: ...
        def write(self, data: bytes | bytearray | memoryview) -> object: ...
        def wait(self, timeout_ms: int) -> bool: ...

    class ConsolePort(Protocol):
        def read(self) -> bytes: ...
        def write(self, data: bytes) -> object: ...

    class ModemPower(Protocol):
        def supply(self, on: bool) -> None: ...
        def key(self, pressed: bool) -> None: ...


class Board:
    """What app.py and the control loop ask of a board. `read` and `write` are called from the control thread alone."""

    flash = "/flash"  # folder where the board mounts its littlefs, with PROGRAM_BYTES
    formatted = False  # its file system could not be read, and was made anew
    # "power_on" is the mains' coming back, and it alone clears latched faults. Else "brown_out", "watchdog" (which a panic is
    # too, and a mistake of ours in the control loop), or "soft", which was asked for.
    reset_cause = "power_on"
    modem_port: "ModemPort"  # a port of modem/ports
    console_port: "ConsolePort"
    modem_power: "ModemPower"  # its supply, and its key (pressed is down)

    def __init__(self, clock: "Clock", idle: "Callable[[], None]") -> None:
        """`clock` is the control thread's; `idle()` is to be called at least every 20 ms of each wait for the modem."""
        raise NotImplementedError

    def read(self, inputs: "Inputs") -> None:
        """Fill every field of `inputs` in place; never waits for anything but the converter."""
        raise NotImplementedError

    def write(self, outputs: "Outputs") -> None:
        """Obey `outputs`; never waits."""
        raise NotImplementedError

    def set_time(self, time_s: int) -> None:
        """What time it is, UTC since 1970: for the platform's clock, which the check of certificates reads."""

    def flash_writes(self) -> "int | None":
        """How often the flash was programmed since the start; None where the board cannot tell."""
        return None

    def feed(self) -> None:
        """Tell the watchdog that the unit is well."""
        raise NotImplementedError

    def reset(self) -> None:
        """Restart the processor; does not return."""
        raise NotImplementedError

    def give_up(self) -> None:
        """The control loop has ended by a mistake of ours: restart, with "watchdog" as the cause that the next start sees. As
        nothing marks a step any more, the watchdog does it by itself.
        """
