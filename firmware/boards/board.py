"""The contract of a board, and the blueprint to copy for a new one: one file, every wire named. What its wires carry, with
units and safe states, are the fields of charging.io.Inputs and Outputs.

Before anything else a board puts its outputs into the safe state: contactor open, pilot held at F by its pull resistor,
modem off. Then it starts its watchdog, before anything that could hang. A reset of the processor must make the outputs safe by
hardware alone, since PWM goes on while Python hangs.

The guard. A port of MicroPython may run no line of Python for a third of a second (TLS, an erase of the flash), and a program
may die. So the drive of the contactor passes through hardware, which holds it only while
- the upper plateau of the pilot is in C or D (a window of 1.5 to 7.5 V), and
- the residual current sensor does not trip, and
- the live line has moved within the last second (a retriggerable monostable: longer than any stall of the port, short enough
  for a dead program).
What the guard opens stays open until the drive is withdrawn. It opens within 100 ms of an unplug, of C to B and of a residual
current (IEC 61851-1 table A.6), and within 1.2 s of the last edge. Its state is read back as `guard_open`.

A board without it leaves `has_guard` False and says why in its own file. Then nothing that could stall the port is done while
the contactor is closed: no TLS handshake (link/uplink.py), and no erase of the flash: the board mounts it through
boards/unguarded_flash.py, as virtual_unguarded.py does.
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
    # The driver of its modem, a module of modem/families, if it is always the same; the image then holds no other. None: the
    # modem is asked for its model.
    modem_family: "str | None" = None
    has_guard = False  # the contactor's drive passes through a guard in hardware
    modem_power: "ModemPower"  # its supply, and its key (pressed is down)

    def __init__(self, clock: "Clock", idle: "Callable[[], None]") -> None:
        """`clock` is the control thread's, which is set back by a day now and then (Clock.set_back); `idle()` is to
        be called at least every 20 ms of each wait for the modem.
        """
        raise NotImplementedError

    def calibrate(self, pilot_gain_permille: int, pilot_zero_mv: int) -> None:
        """The unit's own calibration, at the start and when it was changed: a level of the pilot is what the board's
        arithmetic makes of it, times the gain, plus the zero. `read` may be going on in the other thread, and one reading may
        have the one of before and the other of after. A board that needs none ignores it.
        """

    def read(self, inputs: "Inputs") -> None:
        """Fill every field of `inputs` in place; never waits for anything but the converter."""
        raise NotImplementedError

    def write(self, outputs: "Outputs") -> None:
        """Obey `outputs`; never waits."""
        raise NotImplementedError

    def move_live_line(self) -> None:
        """Toggle the guard's live line; called at the end of each period of the control loop. Never waits. A board without
        a guard has none.
        """

    def latched(self) -> "tuple[str, ...] | None":
        """What `keep_latched` kept last, before the reset too; None where that is not known."""
        return None

    def keep_latched(self, faults: "tuple[str, ...]") -> None:
        """Keep the names of those faults that are latched in memory that outlives every reset but a loss of the supply
        (latched_mark.py); a board with such memory keeps () in it when it starts after one. Called by the control thread in
        the step in which the faults change, since the checkpoint on the flash is the main thread's and follows when that gets
        to it. Never waits.
        """

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
