"""The interface of the unit for commands from the console (firmware/service) and from the cloud (firmware/commands.py).

app.Unit extends ChargePoint; tests may provide a reduced one.
"""

from firmware.charging.control_state import Setup
from firmware.charging.pilot import OFFER_MIN_A
from firmware.errors import CommandRefused

if False:  # for mypy alone
    from collections.abc import Callable

    from firmware.boards.board import Board
    from firmware.charging.exchange import Exchange
    from firmware.charging.limits import Claim
    from firmware.claim_manager import ClaimManager
    from firmware.health import Health
    from firmware.installer_lock import InstallerLock
    from firmware.link.journal import Journal
    from firmware.link.uplink import Uplink
    from firmware.storage.authority import Authority
    from firmware.storage.settings import Settings
    from firmware.update.updates import Updates
    from firmware.wall_clock import WallClock

# Used if the settings cannot be loaded: the lowest current of the standard, with any cable. (Every cable is rated for it.)
SAFE_SETUP = Setup(OFFER_MIN_A, True, False, 0, False)


class ChargePoint:
    # To be read only; commands change them through the methods below. A part that could not be created at the start is None.
    exchange: "Exchange"
    settings: "Settings"  # also call `change`, then `apply_settings`
    wall_clock: "WallClock"
    journal: "Journal"  # also call `note`, `answer`
    health: "Health"
    link: "Uplink"
    # To be used in full.
    installer_lock: "InstallerLock"
    authority: "Authority"
    rating_a: "int | None" = None  # of the circuit; None while the unit is not commissioned
    after_answer: "Callable[[], None] | None" = None  # called by the console once its answer is written
    updates: "Updates | None" = None  # while an update is ordered or on trial
    _board: "Board"
    _claim_manager: "ClaimManager | None" = None  # None: could not be created; the unit charges without claims

    def flash(self) -> str:
        """Return the folder in which the unit stores its files."""
        return self._board.flash

    def flash_writes(self) -> "int | None":
        return self._board.flash_writes()

    def restart(self) -> None:
        """Restart the processor; does not return."""
        self._board.reset()

    def commission(self, rating_a: int) -> None:
        """Charge as commissioned for a circuit of this rating from now on. Does not store it."""
        self.rating_a = rating_a
        self.exchange.setup = setup(self.settings, rating_a)

    def keep_updates(self, updates: "Updates | None") -> None:
        """Set the Updates in the unit and in its link; None if no update is needed any more."""
        self.updates = updates
        if self.link:
            self.link.updates = updates

    def clear_faults(self) -> None:
        """Clear latched faults whose cause has ended."""
        self.exchange.clear_wanted = True

    def test_rcd(self) -> None:
        """Request the self-test of the residual current sensor."""
        self.exchange.test_wanted = True

    def override(self, wanted: bool) -> None:
        """Set or withdraw the owner's "charge now" for the current session. Raises CommandRefused."""
        why = self._wishes().override(wanted)
        if why:
            raise CommandRefused(why)

    def skip_delay(self) -> None:
        """End the present random delay. Raises CommandRefused."""
        self._wishes().claims.skip_delay(self.wall_clock.now_ms())

    def claim(self, source: str, claim: "Claim | None") -> None:
        """Set the claim of `source`, "cloud" or "load_manager"; None withdraws it. Raises CommandRefused."""
        claims = self._wishes().claims
        if source == "cloud":
            claims.order(claim)
        else:
            claims.load_manager = claim

    def renew_claims(self) -> None:
        """Update `exchange.claims` now. Otherwise they are updated within 250 ms."""
        if self._claim_manager:
            self._claim_manager.step(self.wall_clock.now_ms(), self.exchange.report)

    def _wishes(self) -> "ClaimManager":
        if self._claim_manager is None:
            raise CommandRefused("a part failed at the start: see status")
        return self._claim_manager

    def note(self, kind: str, details: "dict[str, object]", at_ms: "int | None" = None) -> None:
        """Record an event in the journal. `at_ms`: uptime of the event, None = now. Details that are None are omitted.

        Does nothing if the journal could not be created.
        """
        if self.journal:
            known = {name: value for name, value in details.items() if value is not None}
            self.journal.note(kind, known, at_ms)

    def set_time(self, epoch_s: "int | None", source: str) -> None:
        """Set the time (UTC) from `source`, unless it is None or WallClock rejects it. A step is recorded as an event."""
        step_s = self.wall_clock.set(epoch_s, source)
        if step_s is not None and epoch_s is not None:
            self._board.set_time(epoch_s)
            if self._claim_manager:
                self._claim_manager.claims.clock_set(self.wall_clock.now_ms(), epoch_s)
            self.note("time", {"from": source, "step_s": step_s})

    def apply_settings(self) -> None:
        """Pass changed settings to the parts that use them: charging control, board and link."""
        self.exchange.setup = setup(self.settings, self.rating_a)
        calibrate(self._board, self.settings)
        if self.link:
            self.link.reconnect()


def calibrate(board: "Board", settings: "Settings") -> None:
    board.calibrate(settings["pilot_gain_permille"], settings["pilot_zero_mv"])


def setup(settings: "Settings", rating_a: "int | None") -> "Setup":
    """Return the installer's settings in the form that the charging control uses."""
    site = settings["tethered"], settings["ventilated"], settings["fallback_amps"]
    return Setup(rating_a or OFFER_MIN_A, *site, rating_a is not None)
