"""What this unit has recorded about the mobile networks around it, and how it rates them. Pure.

    a network is good      only when a CONNACK came over it (`proved`)
    a network is failing   when it was proved wrong: registered, yet no CONNACK for a while, twice. It is left alone for 1 h,
                           then 4 h, then 24 h; for a day at once if it refuses us for good
    a network is poor      when its smoothed signal stays at 14 or less, or data fail on it again and again

If a second network fails the proof too, it is the broker that is suspect.

Time is `now_s`: seconds with power since the unit was new. It needs no wall clock, and a unit that restarts in a loop does
not get fresh budgets. All figures are a first proposal [M], to be tuned in the simulator.
"""

from collections import namedtuple

from modem.budget import DAY_S, HOUR_S, recent, times

VisibleNetwork = namedtuple("VisibleNetwork", ("plmn", "csq"))  # one network of a survey, at its best cell

POOR_CSQ = 14  # as the installer's verdict (PASS_ABOVE_CSQ of signal.py): this, or less
NOT_POOR_CSQ = 16  # hysteresis: a signal that flaps around 14 is one decision, not many
POOR_S = 15 * 60
SMOOTHING = 0.2  # of a sample a minute
NO_READINGS = 5  # in a row until they mean anything
DATA_FAILURES = 3
DATA_FAILURES_WITHIN_S = 30 * 60

PROOF_FAILURES = 2
PROOF_S = 45  # and for so long
# Something answered, and be it with a refusal: the network carries data, and a broker that restarts is back by then.
ANSWERED, ANSWERED_PROOF_S = "answered", 180
QUARANTINE_S = (HOUR_S, 4 * HOUR_S, DAY_S)
# Refused for good (manual p.329): illegal MS, illegal ME, GPRS, PLMN or roaming not allowed, PDP authentication.
PERMANENT_CAUSES = (103, 106, 107, 111, 113, 149)
BROKER_SUSPECT_S = HOUR_S

DWELL_S = 30 * 60
SCANS_A_DAY, SCAN_DISTANCE_S = 4, HOUR_S
SWITCHES_A_DAY = 3
SURVEY_KEEPS_S = HOUR_S

GOOD_DATA_CSQ = 6  # what a record without failures is worth
FAILURE_CSQ = 10  # what one that failed last costs
ABROAD_CSQ = 6  # a network of another country, at a border: it may cost more
USABLE_CSQ = 4
NETWORKS_KEPT = 12
COUNT_MAX = 10  # of successes and of failures: what never stops counting never stops wearing the flash


class NetworkHistory:
    """What the unit knows of its networks. `stored` is a dict for flash, made by `to_store`; anything odd in it is left out.

    `jitter_s` differs from unit to unit, so that a depot does not move as one.
    """

    def __init__(self, stored=None, jitter_s: int = 0):
        stored = stored if isinstance(stored, dict) else {}
        self.good = stored.get("good")  # the network that was proved last
        self.scans = times(stored.get("scans"))
        self.switches = times(stored.get("switches"))
        self.networks = {}
        networks = stored.get("networks")
        for plmn, record in (networks if isinstance(networks, dict) else {}).items():
            if isinstance(record, list) and len(record) == len(_FRESH) and times(record[:4]) == record[:4]:
                self.networks[plmn] = record
        self.survey: list = []
        self.surveyed_s: int | None = None
        self._jitter_s = jitter_s
        self._csq: float | None = None  # smoothed, of the network that serves
        self._serving = None
        self._no_readings = 0
        self._poor_since_s: int | None = None
        self._data_failures: list = []
        self._failing_since_s: int | None = None  # first failure of the proof since the last success
        self._proof_failures = 0
        self.suspects: list = []  # (plmn, now_s) that failed the proof since any network passed it

    def to_store(self) -> dict:
        """For flash. Changes with proofs, failures, scans and switches only: a handful of times a day."""
        return {"good": self.good, "scans": self.scans, "switches": self.switches, "networks": self.networks}

    # What happened

    def sampled(self, now_s: int, plmn, csq: int):
        """A signal reading of the network that serves, once a minute; 99 is none."""
        if plmn != self._serving:
            self._serving = plmn
            self._csq = self._poor_since_s = None
            self._data_failures = []
        if csq == 99:
            self._no_readings += 1
            if self._no_readings < NO_READINGS:
                return
            csq = 0
        else:
            self._no_readings = 0
        self._csq = csq if self._csq is None else self._csq + SMOOTHING * (csq - self._csq)
        if self._csq <= POOR_CSQ:
            if self._poor_since_s is None:
                self._poor_since_s = now_s
        elif self._csq >= NOT_POOR_CSQ or not self._is_weak(now_s):
            self._poor_since_s = None

    def proved(self, now_s: int, plmn):
        """A CONNACK came."""
        self._failing_since_s = None
        self._proof_failures = 0
        self.suspects = []
        if plmn is not None:
            self.good = plmn
            record = self._record(plmn)
            record[_OK] = min(record[_OK] + 1, COUNT_MAX)
            record[_STRIKES] = record[_UNTIL] = 0
            record[_CAUSE] = None

    def failed(self, now_s: int, plmn, cause):
        """Registered with `plmn`, and yet no CONNACK. `cause` is a CME number, or a word: ANSWERED, or any other."""
        if plmn is None:
            return
        self._proof_failures += 1
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        if cause in PERMANENT_CAUSES:
            self.refused(now_s, plmn, cause)
            return
        patience_s = ANSWERED_PROOF_S if cause == ANSWERED else PROOF_S
        if self._proof_failures >= PROOF_FAILURES and now_s - self._failing_since_s >= patience_s:
            self._leave_alone(now_s, plmn, cause, 1)
            self._suspect(now_s, plmn)

    def refused(self, now_s: int, plmn, cause):
        """The network, or the modem on its behalf, said that it does not take us."""
        self._leave_alone(now_s, plmn, cause, len(QUARANTINE_S) if cause in PERMANENT_CAUSES else 1)

    def data_failed(self, now_s: int):
        """A connection that was proven broke: a send failed, nothing was acknowledged, the context was taken away."""
        self._data_failures = self._data_failures[1 - DATA_FAILURES :] + [now_s]

    def surveyed(self, now_s: int, networks: list):
        """Record a scan: `networks` has a VisibleNetwork for each network. An empty list is a scan that failed; its budget is
        spent all the same."""
        self.scans = recent(self.scans, now_s) + [now_s]
        self.survey = networks
        self.surveyed_s = now_s

    def switched(self, now_s: int):
        """The modem was told to take another network."""
        self.switches = recent(self.switches, now_s) + [now_s]
        self._failing_since_s = None
        self._proof_failures = 0

    # What that means

    def is_in_doubt(self) -> bool:
        """Whether the proof of the network that serves has failed, and not yet often enough to mean anything."""
        return self._failing_since_s is not None

    def is_failing(self, now_s: int, plmn) -> bool:
        """Whether this network is to be left alone now."""
        record = self.networks.get(plmn)
        return record is not None and record[_UNTIL] > now_s

    def is_poor(self, now_s: int) -> bool:
        """Whether the network that serves is weak, or loses data."""
        if self._is_weak(now_s):
            return True
        failures = self._data_failures
        return len(failures) == DATA_FAILURES and now_s - failures[0] <= DATA_FAILURES_WITHIN_S

    def broker_suspect(self, now_s: int) -> bool:
        """Whether two different networks failed the proof one after the other, not long ago."""
        return len(self.suspects) > 1 and now_s - self.suspects[-1][1] < BROKER_SUSPECT_S

    def score(self, heard, plmn) -> float:
        """What a network is worth, in CSQ, seen from `plmn`."""
        score = float(heard.csq)
        record = self.networks.get(heard.plmn)
        if record is not None and record[_OK] + record[_FAILED]:
            score += GOOD_DATA_CSQ * record[_OK] / (record[_OK] + record[_FAILED])
            if record[_CAUSE] is not None:
                score -= FAILURE_CSQ
        if plmn is not None and heard.plmn[:3] != plmn[:3]:
            score -= ABROAD_CSQ
        return score

    def best_other(self, now_s: int, plmn):
        """The best network of a survey that still holds, other than `plmn` and those that are failing; or None."""
        best = None
        if self.surveyed_s is not None and now_s - self.surveyed_s < SURVEY_KEEPS_S:
            for heard in self.survey:
                if heard.plmn == plmn or heard.csq < USABLE_CSQ or self.is_failing(now_s, heard.plmn):
                    continue
                if best is None or self.score(heard, plmn) > self.score(best, plmn):
                    best = heard
        return best

    def current_score(self, plmn) -> float:
        """The score of the network that serves, by its smoothed signal."""
        return self.score(VisibleNetwork(plmn, self._csq or 0), plmn)

    def may_scan(self, now_s: int) -> bool:
        """Whether the budget of scans allows one now."""
        scans = recent(self.scans, now_s)
        return len(scans) < SCANS_A_DAY and (not scans or now_s - scans[-1] >= SCAN_DISTANCE_S)

    def may_switch(self, now_s: int) -> bool:
        """Whether the budget of switches allows one now."""
        return len(recent(self.switches, now_s)) < SWITCHES_A_DAY

    def is_settling(self, now_s: int) -> bool:
        """Whether the last switch was only a moment ago."""
        return bool(self.switches) and 0 <= now_s - self.switches[-1] < DWELL_S

    def _is_weak(self, now_s: int) -> bool:
        return self._poor_since_s is not None and now_s - self._poor_since_s >= POOR_S + self._jitter_s

    def _record(self, plmn) -> list:
        if plmn not in self.networks:
            if len(self.networks) >= NETWORKS_KEPT:
                oldest = min(self.networks, key=lambda other: (other == self.good, self.networks[other][_UNTIL]))
                del self.networks[oldest]
            self.networks[plmn] = list(_FRESH)
        return self.networks[plmn]

    def _leave_alone(self, now_s: int, plmn, cause, strikes: int):
        self._failing_since_s = None
        self._proof_failures = 0
        record = self._record(plmn)
        record[_FAILED] = min(record[_FAILED] + 1, COUNT_MAX)
        record[_CAUSE] = cause
        record[_STRIKES] = min(record[_STRIKES] + strikes, len(QUARANTINE_S))
        record[_UNTIL] = now_s + QUARANTINE_S[record[_STRIKES] - 1]

    def _suspect(self, now_s: int, plmn):
        self.suspects = [suspect for suspect in self.suspects if suspect[0] != plmn] + [(plmn, now_s)]
        if self.broker_suspect(now_s):  # then the networks are not to blame
            for other, _ in self.suspects:
                self.networks[other][_UNTIL] = 0


_OK, _FAILED, _STRIKES, _UNTIL, _CAUSE = range(5)  # places in the record of a network
_FRESH = (0, 0, 0, 0, None)
