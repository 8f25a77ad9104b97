"""Checks of contact and reconnection: what the bridge shows of the unit, and that the unit is back after a fault."""

from sqlalchemy import text

from cloud_bridge.contact import Contact
from hil_tests.years.circumstances import Circumstances
from hil_tests.years.faults import CLOUD, DENIED, FLASH, HOUR, MINUTE, NETWORK, SUPPLY
from hil_tests.years.mission import BACK, CONTACT

SILENT_AFTER_S = 30 * 60  # as promised on the dashboard
ESTIMATE_S = 1.0  # difference between two readings of one moment
BACK_WITHIN_S = 40 * MINUTE
SHORT_S = 4 * HOUR  # after a trouble of at most this, with none before it and without a refusal,
BACK_SOON_S = 7 * MINUTE  # the unit is back by then: a remedy in progress, a pause of at most 5 minutes, and a login
BEFORE_IT_S = HOUR
NOTICED_S = 120
TROUBLES = (NETWORK, CLOUD, SUPPLY, FLASH)


class Hearing:
    """`heard`: the times at which the bridge received messages, in s of the world's clock."""

    def __init__(self, watch: Circumstances) -> None:
        self._watch, self._world = watch, watch.world
        self.heard: list[float] = []
        self._deaf_s = 0.0  # in total
        self._deaf_since_s: float | None = None
        self._deaf_when_heard_s = 0.0
        self._began_s = self._ended_s = -float(BEFORE_IT_S)  # the last trouble: faults that overlap count as one
        self._is_mild = True  # no refusal, no failing flash, and no trouble shortly before

    # Events.

    def published(self) -> None:
        self.heard.append(self._world.loop.time())
        self._deaf_when_heard_s = self._deaf_by_now_s()

    def begins(self, touches: tuple[str, ...]) -> None:
        self._world.loop.call_soon(self._listen)
        now_s = self._world.loop.time()
        if not set(touches) & set(TROUBLES):
            return
        if not self._is_troubled():
            self._is_mild = now_s - self._ended_s > BEFORE_IT_S
            self._began_s = now_s
        self._is_mild = self._is_mild and not set(touches) & {FLASH, DENIED}

    def ends(self, touches: tuple[str, ...]) -> None:
        self._listen()
        now_s = self._world.loop.time()
        if not set(touches) & set(TROUBLES):
            return
        self._ended_s = now_s
        if not self._is_troubled() and self._is_mild and now_s - self._began_s <= SHORT_S:
            self._world.loop.call_later(BACK_SOON_S, self._back_soon, now_s)

    def _is_troubled(self) -> bool:
        return any(self._watch.lasting[what] > 0 for what in TROUBLES)

    def _listen(self) -> None:
        """Record whether the bridge can receive messages from now on."""
        bridge = self._world.bridge
        self._deaf_s = self._deaf_by_now_s()
        is_deaf = not bridge.running or not bridge.hears or bridge.database_away
        self._deaf_since_s = self._world.loop.time() if is_deaf else None

    def _deaf_by_now_s(self) -> float:
        return self._deaf_s + (0 if self._deaf_since_s is None else self._world.loop.time() - self._deaf_since_s)

    # Regular checks.

    def look(self) -> None:
        self._contact()
        self._link()

    def _contact(self) -> None:
        world, watch = self._world, self._watch
        if not world.bridge.running:
            return
        at_ms, verdict = world.bridge.verdict(world.unit_id)
        now_s = world.loop.time()
        silence_s = now_s - (self.heard[-1] if self.heard else 0.0)
        listened_s = silence_s - (self._deaf_by_now_s() - self._deaf_when_heard_s)
        if at_ms is not None:
            shown_s = (world.bridge.clock.now_ms() - at_ms) / 1000
            if not self.heard or shown_s < silence_s - ESTIMATE_S:
                watch.break_(CONTACT, f"last contact shown {shown_s} s ago, last message {silence_s} s ago")
        if verdict.contact is Contact.SILENT and listened_s <= SILENT_AFTER_S - ESTIMATE_S:
            watch.break_(
                CONTACT, f"silent {silence_s:.0f} s after a message, the bridge listened for {listened_s:.0f} s of it"
            )
        if verdict.contact is Contact.ONLINE and silence_s > SILENT_AFTER_S + ESTIMATE_S:
            watch.break_(CONTACT, f"online {silence_s:.0f} s after the last message")
        listened = watch.well_for_s(CLOUD) > silence_s > SILENT_AFTER_S + ESTIMATE_S
        if listened and self.heard and verdict.contact is not Contact.SILENT:
            watch.break_(CONTACT, f"{verdict.contact} after {silence_s:.0f} s of silence, while the bridge listened")
        if verdict.contact is Contact.ONLINE and silence_s > NOTICED_S and watch.well_for_s(CLOUD) > NOTICED_S:
            self._noticed()

    def _noticed(self) -> None:
        """Check that the stored silence, on which alerts are based, has ended."""
        with self._world.bridge.database.reading() as connection:
            query = text("SELECT silent_ms FROM contacts WHERE unit_id = :unit")
            if connection.execute(query, {"unit": self._world.unit_id}).scalar() is not None:
                self._watch.break_(CONTACT, "the unit is online again, but its stored silence has not ended")

    def _link(self) -> None:
        if self._watch.well_for_s(*TROUBLES) < BACK_WITHIN_S or not self.heard:
            return
        since_s = self._world.loop.time() - self.heard[-1]
        if since_s > BACK_WITHIN_S:
            self._watch.break_(
                BACK,
                f"no fault for {BACK_WITHIN_S} s, but the unit is silent for {since_s:.0f} s: {self._trouble()}",
            )

    def _back_soon(self, ended_s: float) -> None:
        """Check the link after a short trouble. A unit that did not notice the trouble may have sent nothing since."""
        unit = self._world.processor.unit
        proven = unit is not None and unit.link is not None and unit.link.state == "proven"
        if self._ended_s == ended_s and not self._is_troubled() and not proven and self.heard[-1:] < [ended_s]:
            lasted_s = ended_s - self._began_s
            self._watch.break_(BACK, f"not back {BACK_SOON_S} s after a trouble of {lasted_s:.0f} s: {self._trouble()}")

    def _trouble(self) -> str:
        unit = self._world.processor.unit
        return str(unit.link.trouble) if unit is not None and unit.link is not None else "no unit"
