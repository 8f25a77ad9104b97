"""What a command may see and do, from the console (firmware/service) or from the cloud (firmware/commands.py), and no more.

app.Unit is one, and has more; a test may be one that has less.
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

# Where there are no settings: the least that the standard knows, on the cable that there is. (Every cable bears that.)
SAFE_SETUP = Setup(OFFER_MIN_A, True, False, 0, False)


class ChargePoint:
    # To be read, each whole; what is done to them is in the methods below. What could not be made at the start is None.
    exchange: "Exchange"
    settings: "Settings"  # and `change`, then `apply_settings`
    wall_clock: "WallClock"
    journal: "Journal"  # and `note`, `answer`
    health: "Health"
    link: "Uplink"
    # To be worked with.
    installer_lock: "InstallerLock"
    authority: "Authority"
    rating_a: "int | None" = None  # of the circuit; None: nobody has commissioned the unit
    after_answer: "Callable[[], None] | None" = None  # called by the console once its answer is out
    updates: "Updates | None" = None  # while an update is wanted, or on trial
    _board: "Board"
    _claim_manager: "ClaimManager | None" = None  # None: nothing that is wished for can be kept, and it charges

    def flash(self) -> str:
        """The folder of what is stored."""
        return self._board.flash

    def flash_writes(self) -> "int | None":
        return self._board.flash_writes()

    def restart(self) -> None:
        """Restart the processor; does not return."""
        self._board.reset()

    def commission(self, rating_a: int) -> None:
        """It is commissioned from now on, for a circuit of this rating."""
        self.rating_a = rating_a
        self.exchange.setup = setup(self.settings, rating_a)

    def keep_updates(self, updates: "Updates | None") -> None:
        """Who works on an update knows of it; None if there is nothing to do any more."""
        self.updates = updates
        if self.link:
            self.link.updates = updates

    def clear_faults(self) -> None:
        """Clear latched faults whose cause has gone."""
        self.exchange.clear_wanted = True

    def test_rcd(self) -> None:
        """The self-test of the residual current sensor."""
        self.exchange.test_wanted = True

    def override(self, wanted: bool) -> None:
        """The owner wants this session charged now, or not any more. Raises CommandRefused."""
        why = self._wishes().override(wanted)
        if why:
            raise CommandRefused(why)

    def skip_delay(self) -> None:
        """End the present random delay. Raises CommandRefused."""
        self._wishes().claims.skip_delay(self.wall_clock.now_ms())

    def claim(self, source: str, claim: "Claim | None") -> None:
        """The claim of `source`, "cloud" or "load_manager", from now on; None withdraws it. Raises CommandRefused."""
        claims = self._wishes().claims
        if source == "cloud":
            claims.order(claim)
        else:
            claims.load_manager = claim

    def renew_claims(self) -> None:
        """`exchange.claims` are those of what is wished for now; else within 250 ms."""
        if self._claim_manager:
            self._claim_manager.step(self.wall_clock.now_ms(), self.exchange.report)

    def _wishes(self) -> "ClaimManager":
        if self._claim_manager is None:
            raise CommandRefused("a part failed at the start: see status")
        return self._claim_manager

    def note(self, kind: str, details: "dict[str, object]", at_ms: "int | None" = None) -> None:
        """An event for the journal, now unless `at_ms` says when; lost where there is no journal. A detail that is None is
        left out.
        """
        if self.journal:
            known = {name: value for name, value in details.items() if value is not None}
            self.journal.note(kind, known, at_ms)

    def set_time(self, epoch_s: "int | None", source: str) -> None:
        """`source` says what time it is (UTC), or None; believed if it can be true, and a step is an event."""
        step_s = self.wall_clock.set(epoch_s, source)
        if step_s is not None and epoch_s is not None:
            self._board.set_time(epoch_s)
            if self._claim_manager:
                self._claim_manager.claims.clock_set(self.wall_clock.now_ms(), epoch_s)
            self.note("time", {"from": source, "step_s": step_s})

    def apply_settings(self) -> None:
        """Settings were changed: what works with them gets them."""
        self.exchange.setup = setup(self.settings, self.rating_a)
        calibrate(self._board, self.settings)
        if self.link:
            self.link.reconnect()


def calibrate(board: "Board", settings: "Settings") -> None:
    board.calibrate(settings["pilot_gain_permille"], settings["pilot_zero_mv"])


def setup(settings: "Settings", rating_a: "int | None") -> "Setup":
    """What the installer has set, as the rules of charging take it."""
    site = settings["tethered"], settings["ventilated"], settings["fallback_amps"]
    return Setup(rating_a or OFFER_MIN_A, *site, rating_a is not None)
