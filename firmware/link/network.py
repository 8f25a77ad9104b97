"""Manages the mobile network: maintains the records (modem/network_history.py, modem/recovery_ladder.py) and carries out the
decisions of the rules (modem/roaming.py, modem/recovery.py).

Each decision is recorded as an event with its reason. The records survive restarts; the flash is written only when they
change, a few times a day. Time is the seconds for which the unit had power: the stored ones plus those since the start.
"""

import errno
import random

from firmware.lazy_import import LazyImport
from firmware.link.secure import NotTrusted
from firmware.storage import record_file
from modem import network_history, recovery_ladder
from modem.errors import CommandError, ModemError, ModemHung, ModemRestarted, NotRegistered

if False:  # for mypy alone
    from firmware.boards.board import ModemPower
    from firmware.clock import Clock
    from firmware.link.journal import Journal
    from modem.client import Modem
    from modem.network_history import VisibleNetwork
    from modem.recovery import Remedy
    from modem.roaming import Decision

FILE = "/network"
JITTER_S = 120
SAMPLE_S = 60
# An event must fit into a record of the outbox. It has the strongest networks of a survey, and the start of an error text.
TOLD_NETWORKS = 20
TOLD_CHARS = 100
# Errors of a proven connection that the network causes; others are due to the broker (ECONNRESET) or the serial line (EIO).
_NETWORKS_FAULT = (errno.ETIMEDOUT, errno.ECONNABORTED)
_DENIED = 3  # +CGREG <stat>


class Moved(ModemError):
    """The connection was closed on purpose: for a scan, or for another network."""


class Network:
    """`decision`, `remedy`: the last ones, for the console; `survey`: result of the last scan; `survey_state`: its state."""

    def __init__(self, modem: "Modem", power: "ModemPower", clock: "Clock", journal: "Journal", folder: str) -> None:
        stored = record_file.load(folder + FILE)
        stored = stored if isinstance(stored, dict) else {}
        self.known = network_history.NetworkHistory(stored.get("roaming"), random.randint(0, JITTER_S))
        self.ladder = recovery_ladder.RecoveryLadder(stored.get("recovery"))
        self.decision: Decision | None = None
        self.remedy: Remedy | None = None
        self.survey: list[tuple[VisibleNetwork, str | None, int]] = []
        self.survey_state = "none"
        self._modem = modem
        self._power = power
        self._clock = clock
        self._journal = journal
        self._path = folder + FILE
        start_s = stored.get("clock_s")
        self._start_s = start_s if isinstance(start_s, int) else 0
        self._saved = repr(self._to_store())
        self._serving: str | None = None
        self._proven = False
        # (PLMN, proven) at the last call of `tend`, None if there was trouble:
        self._settled: tuple[str | None, bool] | None = None
        self._sampled_s = -SAMPLE_S

    def now_s(self) -> int:
        """Return the seconds with power since the unit was new, except those that were not stored before a restart."""
        return self._start_s + self._clock.now_ms() // 1000

    def sampled(self, plmn: "str | None", csq: int) -> None:
        """Record the serving network and its signal. May be called at any interval; one sample per SAMPLE_S is used."""
        self._serving = plmn
        now_s = self.now_s()
        if now_s - self._sampled_s >= SAMPLE_S:
            self._sampled_s = now_s
            self.known.sampled(now_s, plmn, csq)

    def proved(self) -> None:
        """Record that the broker accepted the connection, so the network carries data."""
        now_s = self.now_s()
        self._proven = True
        self.known.proved(now_s, self._serving)
        self._save()

    def in_contact(self) -> None:
        """Record that the broker acknowledged a message."""
        self.ladder.contact(self.now_s())

    def lost(self, error: Exception, answered: bool = False, blameless: bool = False) -> None:
        """Record the loss of contact because of `error`, and carry out the recovery action that is due. Raises ModemError.

        `answered`: the connection was accepted or refused, so the network carries data and the broker may be at fault.
        `blameless`: the connection was lost in a silence, probably because the network drops idle connections, or the broker
        accepted it and acknowledged nothing; this does not count as a failure of the network.
        """
        now_s = self.now_s()
        if isinstance(error, Moved):
            return
        if self._proven:
            if isinstance(error, OSError) and error.errno in _NETWORKS_FAULT and not blameless:
                self.known.data_failed(now_s)
        elif isinstance(error, (OSError, CommandError)) and not isinstance(error, NotTrusted):
            self.known.failed(now_s, self._serving, network_history.ANSWERED if answered else _cause(error))
        self._proven = False
        if isinstance(error, NotRegistered):
            self._serving = None
        self.ladder.lost(now_s)
        self._recover(now_s, error)
        self._save()

    def tend(self, busy: bool) -> None:
        """Change to another network if the rules require it. Raises Moved if the connection had to be closed; ModemError."""
        if self._is_settled():
            return
        with LazyImport():
            from modem import roaming

            decision = self._decide(busy)
            if decision.do == roaming.STAY:
                return
            if decision.do == roaming.SURVEY:
                self.look_around()
                decision = self._decide(busy)
            if decision.do == roaming.SWITCH:
                self._switch(decision.plmn)
            elif decision.do == roaming.AUTOMATIC:
                with LazyImport():
                    from modem import network_control

                    network_control.automatic(self._modem)
        self._save()
        raise Moved(decision.why)

    def look_around(self) -> None:
        """Scan for networks, and record an event with each PLMN and the CSQ of its strongest cell. Raises ModemError."""
        self.survey_state = "running"
        try:
            with LazyImport():
                from modem import network_control

                self.survey = network_control.survey(self._modem)
            self.survey_state = "done"
            self._journal.note("networks", {heard.plmn: heard.csq for heard, _, _ in self.survey[:TOLD_NETWORKS]})
        except ModemError as error:
            self.survey = []
            self.survey_state = "failed: %s" % error
            raise
        finally:
            self.known.surveyed(self.now_s(), [heard for heard, _, _ in self.survey])
            self._save()

    def is_failing(self) -> bool:
        """Return whether the serving network is in quarantine because it carries no data."""
        return self.known.is_failing(self.now_s(), self._serving)

    def lines(self) -> "list[str]":
        """Return the answer to the console command `network`."""
        decision, remedy, known = self.decision, self.remedy, self.known
        said = [
            "good %s" % (known.good or "-"),
            "roaming %s" % ("%s: %s" % (decision.do, decision.why) if decision else "-"),
            "recovery %s" % ("%s: %s" % (remedy.do, remedy.why) if remedy else "-"),
            "scans %d" % len(known.scans),
            "switches %d" % len(known.switches),
            "resets %d" % len(self.ladder.resets),
        ]
        for plmn, (proofs, failures, _, until_s, cause) in sorted(known.networks.items()):
            left_s = max(0, until_s - self.now_s())
            said.append(
                "known %s proofs %d failures %d avoided_s %d cause %s" % (plmn, proofs, failures, left_s, cause)
            )
        return said

    def _decide(self, busy: bool) -> "Decision":
        locked = self._serving is not None and self._modem.is_locked()
        with LazyImport():
            from modem import roaming

            seen = roaming.Seen(self.now_s(), self._serving, locked, self._proven, busy)
            decision = roaming.decide(self.known, seen)
            if decision.do != roaming.STAY or self._is_news(decision):
                self._journal.note("network", {"do": decision.do, "o": decision.plmn, "why": decision.why})
        self.decision = decision
        return decision

    def _is_news(self, decision: "Decision") -> bool:
        """Return whether a decision to stay is to be recorded as an event: there is trouble, and its reason is new."""
        return self._is_troubled() and (self.decision is None or decision.why != self.decision.why)

    def _is_settled(self) -> bool:
        """Return whether the rules need not be evaluated: there is no trouble, and nothing has changed since the last call."""
        now = None if self._is_troubled() else (self._serving, self._proven)
        settled = now is not None and now == self._settled
        self._settled = now
        return settled

    def _is_troubled(self) -> bool:
        now_s, known = self.now_s(), self.known
        if known.is_poor(now_s) or known.is_failing(now_s, self._serving) or known.broker_suspect(now_s):
            return True
        return known.origin(now_s, self._serving) is not None  # on trial

    def _switch(self, plmn: str) -> None:
        self.known.switched(self.now_s(), plmn)
        self._serving = plmn
        with LazyImport():
            from modem import network_control

            taken = network_control.switch(self._modem, plmn)
        if not taken:
            self.known.refused(self.now_s(), plmn, "refused")
            self._journal.note("network", {"do": "refused", "o": plmn, "why": "%s refused the unit" % plmn})

    def _recover(self, now_s: int, error: Exception) -> None:
        refused = isinstance(error, NotRegistered) and error.stat == _DENIED
        with LazyImport():
            from modem import recovery

            trouble = recovery.Trouble(
                now_s,
                not isinstance(error, ModemHung),
                isinstance(error, ModemRestarted),
                self._serving is not None,
                refused or _cause(error) in network_history.PERMANENT_CAUSES,
                _words(error),
            )
            remedy = self.remedy = recovery.decide(self.ladder, trouble)
        self.ladder.tried(now_s, remedy.do)
        if remedy.do == recovery_ladder.WAIT:
            return
        self._journal.note("network", {"do": remedy.do, "why": remedy.why})
        self._save()  # before the action, so that a restart does not restore the budget
        if remedy.do in recovery_ladder.RESETS:
            self._serving = None
        if remedy.do == recovery_ladder.LOOK_FOR_FORBIDDEN:
            self._clear_forbidden(now_s)
        else:
            with LazyImport():
                from modem import network_control

                network_control.carry_out(self._modem, self._power, remedy.do)

    def _clear_forbidden(self, now_s: int) -> None:
        with LazyImport():
            from modem import network_control

            barred = network_control.clear_forbidden(self._modem)
        if barred:
            self.ladder.cleared(now_s)
            why = "the SIM avoided every network here, since each had refused it once"
            self._journal.note("network", {"do": "clear forbidden", "o": " ".join(barred), "why": why})

    def _to_store(self) -> "dict[str, object]":
        return {"roaming": self.known.to_store(), "recovery": self.ladder.to_store()}

    def _save(self) -> None:
        stored = self._to_store()
        if repr(stored) == self._saved:
            return
        try:
            record_file.save(self._path, dict(stored, clock_s=self.now_s()))
            self._saved = repr(stored)
        except OSError:
            pass  # a worn flash must not prevent contact; the records remain in memory


def _cause(error: Exception) -> "int | str":
    """Return the cause of a failure as it is stored: a CME error number, or a word."""
    if isinstance(error, CommandError) and error.code is not None:
        code: int = error.code
        return code
    return "data" if isinstance(error, OSError) else "service"


def _words(error: Exception) -> str:
    """Return the error as text for people; for an OSError, its text without the number."""
    if isinstance(error, OSError) and len(error.args) > 1:
        words: str = error.args[1]
        return words
    return (str(error) or repr(error))[:TOLD_CHARS]
