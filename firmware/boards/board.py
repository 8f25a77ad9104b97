"""The interface of a board, and the template to copy for a new one: one file, with all of its wires named. The fields of
charging.io.Inputs and Outputs define the signals, with their units and safe states.

Before anything else, a board sets its outputs to the safe state: contactor open, pilot held at F by its pull resistor, modem
off. Then it starts its watchdog, before anything that could hang. A reset of the processor must make the outputs safe by
hardware alone, because PWM continues while Python hangs.

The guard: A port of MicroPython may run no Python code for a third of a second (TLS, an erase of the flash), and a program may
crash. The drive of the contactor therefore passes through hardware, which holds it only while
- the upper plateau of the pilot is in C or D (a window of 1.5 to 7.5 V), and
- the residual current sensor does not trip, and
- the live line has changed within the last second (a retriggerable monostable, whose time is longer than any stall of the port
  and short enough for a crashed program).
Once the guard has opened the contactor, it stays open until the drive is withdrawn. The guard opens within 100 ms of
unplugging, of a change from C to B and of a residual current (IEC 61851-1 table A.6), and within 1.2 s of the last edge of the
live line. Its state is read back as `guard_open`.

A board without a guard leaves `has_guard` False and gives the reason in its own file. In that case, nothing that could stall
the port is done while the contactor is closed: no TLS handshake (link/uplink.py) and no erase of the flash. The board mounts
the flash through boards/unguarded_flash.py, as virtual_unguarded.py does.
"""

PROGRAM_BYTES = 128  # progsize of littlefs: files of up to four times this are in its metadata (storage/outbox.py)

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
    """The interface that app.py and the control loop use. `read` and `write` are called only from the control thread."""

    flash = "/flash"  # folder where the board mounts its littlefs, with PROGRAM_BYTES
    formatted = False  # the file system could not be read and was formatted
    # "power_on": the mains were switched on; of all causes, only this clears latched faults. Others: "brown_out"; "watchdog",
    # also after a panic or an exception in the control loop; "soft", a requested restart.
    reset_cause = "power_on"
    modem_port: "ModemPort"  # a port of modem/ports
    console_port: "ConsolePort"
    # The modem's driver, a module of modem/families, if the modem is always the same; the image then has no other driver.
    # None: the modem's model is queried.
    modem_family: "str | None" = None
    has_guard = False  # the contactor's drive passes through a hardware guard
    modem_power: "ModemPower"  # the modem's supply and PWRKEY

    def __init__(self, clock: "Clock", idle: "Callable[[], None]") -> None:
        """`clock`: the control thread's clock, which is set back by a day occasionally (Clock.set_back). `idle()` must be
        called at least every 20 ms while the board waits for the modem.
        """
        raise NotImplementedError

    def calibrate(self, pilot_gain_permille: int, pilot_zero_mv: int) -> None:
        """Set the unit's calibration of the pilot, at the start and after a change: the board's calculated level is multiplied
        by the gain, and the zero is added. `read` may run in the other thread meanwhile, so one reading may combine an old and
        a new value. A board that needs no calibration ignores it.
        """

    def read(self, inputs: "Inputs") -> None:
        """Set every field of `inputs`. Waits only for the analogue-to-digital converter."""
        raise NotImplementedError

    def write(self, outputs: "Outputs") -> None:
        """Apply `outputs`. Does not wait."""
        raise NotImplementedError

    def move_live_line(self) -> None:
        """Toggle the guard's live line. Called at the end of each period of the control loop. Does not wait. A board without a
        guard does nothing.
        """

    def latched(self) -> "tuple[str, ...] | None":
        """Return the names that `keep_latched` stored last, also before a reset; None if they are not known."""
        return None

    def keep_latched(self, faults: "tuple[str, ...]") -> None:
        """Store the names of the latched faults among `faults` in memory that survives every reset except a loss of the supply
        (latched_mark.py). A board with such memory stores () when it starts after a loss of the supply. The control thread
        calls this in the step in which the faults change, because the main thread writes the checkpoint on the flash only
        later. Does not wait.
        """

    def set_time(self, time_s: int) -> None:
        """Set the platform's clock, which the check of certificates uses. `time_s`: UTC seconds since 1970."""

    def flash_writes(self) -> "int | None":
        """Return how often the flash was programmed since the start; None if the board does not count this."""
        return None

    def feed(self) -> None:
        """Feed the watchdog."""
        raise NotImplementedError

    def reset(self) -> None:
        """Restart the processor; does not return."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Restart after an exception in the control loop, with the reset cause "watchdog". By default, do nothing: the
        watchdog is no longer fed, so it resets the processor.
        """
