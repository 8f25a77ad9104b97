"""Everything that the two threads hand each other; neither touches anything else of the other's (a test holds that).

The control thread steps the rules (control_loop.py, controller.py); the main thread does all the rest. No lock: the control
thread must never wait. That is safe by three rules.

- A field has one writer, and is replaced whole, by one assignment of a reference. What it refers to (a number, a tuple) is
  never changed afterwards. MicroPython stores a reference in one instruction, with or without a global lock.
- Two fields may be of different moments. What belongs together is one tuple, and its reader takes it once (`report`).
- A request is set by the main thread and reset by the control thread, which has then taken it; two that come before that are
  one.

`events` and `ended` are rings for one writer and one reader (events.py); in `apart` only the control thread changes a count.
"""

from collections import namedtuple

from firmware.charging import limits
from firmware.charging.events import Ring

if False:  # for mypy alone
    from firmware.charging.control_state import Setup
    from firmware.charging.faults import History

# What link and console are told. state: "A1".."F"; amps: offered now; total_wh: None before a new unit has read its meter;
# ruling: who limits it, why and until when; session: a session.Kept, or None; presses: of the button, in a session, while no
# fault was set; ceilings: (source, amps) of each that there is
Report = namedtuple(
    "Report",
    "phase state mode faults contactor amps power_w total_wh session_wh ruling session meter_wh presses ceilings",
)
# kind and what: "fault" (name, is it set), "mode" its name, "tamper" is it open, "session" a session.Record,
# "resumed" the number of the session, "wake_up" the phase in which the vehicle is woken,
# "contactor_rest" for how many seconds it does not close, "meter_changed" (last reading, first reading of the new one),
# "draws_more" by how many A the offer is lowered for it, 0 = it pauses
Event = namedtuple("Event", "at_ms kind what")

WITHIN_MS = (20, 21, 22, 25, 30, 40, 60, 100)  # bounds of `apart`
COUNT_MAX = 2**30 - 1  # of one count in `apart`, after 248 days; beyond it is no small integer


class Exchange:
    def __init__(self, now_ms: int, setup: "Setup", report: Report, fault_history: "tuple[History, ...]") -> None:
        # The main thread writes:
        self.setup = setup  # control_state.Setup
        self.claims: tuple[limits.Claim, ...] = limits.unread(now_ms)  # limits.Claim
        self.delay_s = 0  # of the random delay that runs, what is left
        self.link_proven = False
        self.pauses = 0  # of the main thread, and turns of the link: fresh marks for the supervisor
        self.turns = 0
        # It asks; the control thread resets:
        self.clear_wanted = False  # clear the latched faults whose cause has gone
        self.test_wanted = False  # test the residual current sensor
        self.began_ms: int | None = None  # when the session that runs really began
        self.worst_taken = False  # begin `worst_ms` anew
        self.inputs_wanted = False  # copy the board's next reading to `inputs`
        # The control thread writes:
        self.report = report
        self.fault_history = fault_history  # faults.History of each fault that was set since the start
        self.powered = False  # our own supply is there: the flash may be written
        self.closings = 0  # of the contactor, in the unit's life
        self.owed = 0  # those that were not forgiven at the last of them
        self.inputs: tuple[tuple[str, object], ...] = ()  # name and value of each io.Inputs, as read when last wanted
        self.pressed_ms: int | None = None  # uptime when the button was pressed last
        self.worst_ms = 0  # the longest that two steps were apart since `take_worst_ms`
        self.apart = [0] * (len(WITHIN_MS) + 1)  # steps by their distance to the one before, since the start
        self.events = Ring()  # Event, for the journal
        self.ended = Ring()  # session.Record, for the session log

    def take_worst_ms(self) -> int:
        """`worst_ms`, which the control thread then begins anew."""
        self.worst_taken = True
        return self.worst_ms

    def guard_openings(self) -> int:
        """How often since the start the hardware guard opened a contactor that the rules held closed."""
        for fault in self.fault_history:
            if fault.name == "guard":
                return int(fault.count)
        return 0
