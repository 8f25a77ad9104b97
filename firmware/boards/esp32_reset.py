"""Determines why an ESP32 was reset. MicroPython's cause is not sufficient: it reports a brown-out as PWRON_RESET, and a panic
of its C code as HARD_RESET, like machine.reset() (ports/esp32/modmachine.c, 1.27). Nobody has verified these values on a board
yet.
"""

if False:  # for mypy alone
    from typing import Protocol

    class Machine(Protocol):
        PWRON_RESET: int
        HARD_RESET: int
        WDT_RESET: int

        def reset_cause(self) -> int: ...


RESET_STATE = 0x3FF48034  # RTC_CNTL_RESET_STATE_REG (ESP32 technical reference manual, 31.6)
RESET_STATE_MASK = 0x3F  # its field for the first core
POWERED_ON = 1  # its value POWERON_RESET; a brown-out gives 12 or 15, according to the sources of ESP-IDF
ASKED = b"reset "  # prefix of the RTC's memory after a requested restart; only a loss of the supply clears that memory


def cause(machine: "Machine", reset_state: int, mark: bytes) -> str:
    """Return a value of Board.reset_cause. `reset_state`: value of RESET_STATE; `mark`: content of the RTC's memory.

    A panic is reported as "watchdog": both are unrequested, and a series of them is a boot loop (storage/boots.py).
    """
    told = machine.reset_cause()
    if told == machine.PWRON_RESET:
        return "power_on" if reset_state & RESET_STATE_MASK == POWERED_ON else "brown_out"
    if told == machine.WDT_RESET or (told == machine.HARD_RESET and mark[: len(ASKED)] != ASKED):
        return "watchdog"
    return "soft"
