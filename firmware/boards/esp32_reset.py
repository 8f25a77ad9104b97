"""Why an ESP32 was reset. MicroPython tells too little: a brown-out is a PWRON_RESET to it, and a panic of its C code is a
HARD_RESET, as machine.reset() is (ports/esp32/modmachine.c, 1.27). Nobody has seen these values on a board yet.
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
POWERED_ON = 1  # POWERON_RESET of it; a brown-out leaves 12 or 15 there, as far as the sources of ESP-IDF tell
ASKED = b"reset "  # begins the RTC's memory, which only a loss of the supply clears: we asked for this restart


def cause(machine: "Machine", reset_state: int, mark: bytes) -> str:
    """One of Board.reset_cause. `reset_state` is what the register holds, `mark` the RTC's memory.

    A panic is a "watchdog": nobody asked for it, and one after the other is given up in the same way (storage/boots.py).
    """
    told = machine.reset_cause()
    if told == machine.PWRON_RESET:
        return "power_on" if reset_state & RESET_STATE_MASK == POWERED_ON else "brown_out"
    if told == machine.WDT_RESET or (told == machine.HARD_RESET and mark[: len(ASKED)] != ASKED):
        return "watchdog"
    return "soft"
