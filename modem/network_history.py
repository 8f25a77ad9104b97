"""The unit's records of the mobile networks at its site, and the rating of those networks. Pure.

    a network is good      if a CONNACK was received over it (`proved`)
    a network is failing   if it is registered but no CONNACK is received, twice. It is quarantined for 1 h, then 4 h, then
                           24 h; at once for 24 h after a permanent reject
    a network is poor      if its smoothed signal stays at 14 or less, or if connections over it break repeatedly

If two networks fail in succession, the broker is suspect instead.

The scan of an LTE modem reports no signal. A network is then measured while it serves. A switch to a network that is not yet
measured is a trial, and the network that was left is the trial's origin, to which the unit returns unless the trial network is
clearly better (roaming.py).

Time is `now_s`: seconds of operation since the unit was new. It needs no wall clock, and a restart does not renew budgets. All
figures are a first proposal [M], to be tuned in the simulator.
"""

from collections import namedtuple

from modem.budget import DAY_S, HOUR_S, recent, times
from modem.signal import NO_READING

if False:  # for mypy alone
    from typing import Any

VisibleNetwork = namedtuple("VisibleNetwork", ("plmn", "csq"))  # in a survey; csq of its strongest cell, or NO_READING

POOR_CSQ = 14  # this or less; the limit of the installation check (PASS_ABOVE_CSQ of signal.py)
NOT_POOR_CSQ = 16  # hysteresis, for a signal that varies around 14
BETTER_BY_CSQ = 3  # 6 dB
POOR_S = 15 * 60
SMOOTHING = 0.2  # weight of a new sample; one sample a minute
NO_READINGS = 5  # consecutive samples without a reading that count as CSQ 0
DATA_FAILURES = 3
DATA_FAILURES_WITHIN_S = 30 * 60

PROOF_S = 45  # time from the first failed proof to the one that counts, so that there are at least two
# The TCP connection was accepted or refused, so the network carries data. A restarting broker is back within this time.
ANSWERED, ANSWERED_PROOF_S = "answered", 180
QUARANTINE_S = (HOUR_S, 4 * HOUR_S, DAY_S)
# Permanent rejects (manual p.329): illegal MS, illegal ME, GPRS, PLMN or roaming not allowed, PDP authentication.
PERMANENT_CAUSES = (103, 106, 107, 111, 113, 149)
BROKER_SUSPECT_S = HOUR_S

DWELL_S = 30 * 60
SCANS_A_DAY, SCAN_DISTANCE_S = 4, HOUR_S
SWITCHES_A_DAY = 3
SURVEY_KEEPS_S = HOUR_S

GOOD_DATA_CSQ = 6  # bonus for a record without failures
FAILURE_CSQ = 10  # deduction if the last attempt failed
ABROAD_CSQ = 6  # deduction for a network of another country: roaming charges
USABLE_CSQ = 4
UNMEASURED_CSQ = 10  # assumed where a scan gives no signal: usable, but not better than one that works
NETWORKS_KEPT = 12
COUNT_MAX = 10  # of successes and of failures: a bound, since each change is a flash write


class NetworkHistory:
    """The records of all networks. `stored`: the value of `to_store`, as read from flash; invalid entries are ignored.

    `jitter_s` differs between units, so that the units of one site do not switch networks at the same time.
    """

    def __init__(self, stored: object = None, jitter_s: int = 0) -> None:
        stored = stored if isinstance(stored, dict) else {}
        self.good: str | None = stored.get("good")  # PLMN of the network that was proved last
        self.scans = times(stored.get("scans"))
        self.switches = times(stored.get("switches"))
        self.networks: dict[str, list[Any]] = {}  # by PLMN; see _FRESH
        networks = stored.get("networks")
        for plmn, record in (networks if isinstance(networks, dict) else {}).items():
            if isinstance(record, list) and len(record) == len(_FRESH) and times(record[:4]) == record[:4]:
                self.networks[plmn] = record
        self.survey: list[VisibleNetwork] = []
        self.surveyed_s: int | None = None
        self.measured: dict[str, int] = {}  # CSQ by PLMN, of networks when they were left; for a day
        self._jitter_s = jitter_s
        self._csq: float | None = None  # smoothed, of the serving network
        self._serving: str | None = None
        self._no_readings = 0
        self.samples = 0  # of the serving network
        self._origin: VisibleNetwork | None = None
        self._poor_since_s: int | None = None
        self._data_failures: list[int] = []
        self._failing_since_s: int | None = None  # first proof failure since the last success
        self.suspects: list[tuple[str, int]] = []  # (plmn, now_s) of failures since the last success of any network

    def to_store(self) -> "dict[str, Any]":
        """Return the value to store in flash. It changes with proofs, failures, scans and switches: a few times a day."""
        return {"good": self.good, "scans": self.scans, "switches": self.switches, "networks": self.networks}

    # Events

    def sampled(self, now_s: int, plmn: str | None, csq: int) -> None:
        """Record the CSQ of the serving network, once a minute; 99 if it is not known."""
        if plmn != self._serving:
            self._serve(plmn)
        self.samples += 1
        if csq == NO_READING:
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

    def proved(self, now_s: int, plmn: str | None) -> None:
        """Record a CONNACK over `plmn`."""
        self._failing_since_s = None
        self.suspects = []
        if plmn is not None:
            self.good = plmn
            record = self._record(plmn)
            record[_OK] = min(record[_OK] + 1, COUNT_MAX)
            record[_STRIKES] = record[_UNTIL] = 0
            record[_CAUSE] = None

    def failed(self, now_s: int, plmn: str | None, cause: int | str | None) -> None:
        """Record that `plmn` is registered but no CONNACK was received. `cause`: a CME number, ANSWERED, or another text."""
        if plmn is None:
            return
        if self._failing_since_s is None:
            self._failing_since_s = now_s
        if cause in PERMANENT_CAUSES:
            self.refused(now_s, plmn, cause)
            return
        proof_s = ANSWERED_PROOF_S if cause == ANSWERED else PROOF_S
        if now_s - self._failing_since_s >= proof_s:
            self._quarantine(now_s, plmn, cause, 1)
            self._suspect(now_s, plmn)

    def refused(self, now_s: int, plmn: str, cause: int | str | None) -> None:
        """Record a reject by `plmn`; `cause` as for `failed`."""
        self._quarantine(now_s, plmn, cause, len(QUARANTINE_S) if cause in PERMANENT_CAUSES else 1)

    def data_failed(self, now_s: int) -> None:
        """Record the loss of a proven connection: send failure, no acknowledgement, or PDP context deactivated."""
        self._data_failures = self._data_failures[1 - DATA_FAILURES :] + [now_s]

    def surveyed(self, now_s: int, networks: list[VisibleNetwork]) -> None:
        """Record a scan. An empty list is a failed scan; it counts against the budget too."""
        self.scans = recent(self.scans, now_s) + [now_s]
        if not recent(self.switches, now_s) or len(self.measured) > NETWORKS_KEPT:
            self.measured = {}
        self.survey = networks
        self.surveyed_s = now_s

    def switched(self, now_s: int, plmn: str) -> None:
        """Record a switch to `plmn`. It is a trial if `plmn` is not measured, and the serving network is and does not fail."""
        serving, csq = self._serving, self._csq
        trial = plmn in [network.plmn for network in self.survey if self.csq_of(network) == NO_READING]
        if not trial or serving is None or csq is None or self.is_failing(now_s, serving):
            self._origin = None
        else:
            origin = self.origin(now_s, serving)
            if origin is None or csq >= origin.csq + BETTER_BY_CSQ:
                self._origin = VisibleNetwork(serving, csq)
        if serving is not None and csq is not None:
            self.measured[serving] = round(csq)
        self._serve(plmn)
        self.switches = recent(self.switches, now_s) + [now_s]
        self._failing_since_s = None

    # Rating

    def is_in_doubt(self) -> bool:
        """Return whether the serving network has failed to be proved, but not yet for PROOF_S."""
        return self._failing_since_s is not None

    def is_weak(self) -> bool:
        """Return whether the smoothed signal of the serving network is at POOR_CSQ or less now."""
        return self._csq is not None and self._csq <= POOR_CSQ

    def is_failing(self, now_s: int, plmn: str | None) -> bool:
        """Return whether this network is in quarantine."""
        record = self.networks.get(plmn or "")
        return record is not None and bool(record[_UNTIL] > now_s)

    def is_poor(self, now_s: int) -> bool:
        """Return whether the serving network is weak, or its connections break."""
        if self._is_weak(now_s):
            return True
        failures = self._data_failures
        return len(failures) == DATA_FAILURES and now_s - failures[0] <= DATA_FAILURES_WITHIN_S

    def broker_suspect(self, now_s: int) -> bool:
        """Return whether two different networks failed in succession within BROKER_SUSPECT_S."""
        return len(self.suspects) > 1 and now_s - self.suspects[-1][1] < BROKER_SUSPECT_S

    def score(self, network: VisibleNetwork, plmn: str | None) -> float:
        """Return the rating of a network, in CSQ. `plmn`: a network of the home country, usually the serving one."""
        csq = self.csq_of(network)
        score = float(UNMEASURED_CSQ if csq == NO_READING else csq)
        record = self.networks.get(network.plmn)
        if record is not None and record[_OK] + record[_FAILED]:
            score += GOOD_DATA_CSQ * record[_OK] / (record[_OK] + record[_FAILED])
            if record[_CAUSE] is not None:
                score -= FAILURE_CSQ
        if plmn is not None and network.plmn[:3] != plmn[:3]:
            score -= ABROAD_CSQ
        return score

    def csq_of(self, network: VisibleNetwork) -> float:
        """Return the CSQ of a surveyed network, from the scan or measured before a switch within a day; or NO_READING."""
        return network.csq if network.csq != NO_READING else self.measured.get(network.plmn, NO_READING)

    def origin(self, now_s: int, plmn: str | None) -> VisibleNetwork | None:
        """Return the origin of a trial: the network left less than DWELL_S ago to try `plmn`. None if no trial runs."""
        found = self._origin if self.is_settling(now_s) else None
        return None if found is None or found.plmn == plmn else found

    def best_other(self, now_s: int, plmn: str | None, unmeasured: bool = False) -> VisibleNetwork | None:
        """Return the best network of a recent survey, except `plmn` and those in quarantine; or None.

        `unmeasured`: consider only networks without a reading.
        """
        best = None
        if self.surveyed_s is not None and now_s - self.surveyed_s < SURVEY_KEEPS_S:
            for network in self.survey:
                csq = self.csq_of(network)
                if network.plmn == plmn or csq < USABLE_CSQ or self.is_failing(now_s, network.plmn):
                    continue
                if unmeasured and csq != NO_READING:
                    continue
                if best is None or self.score(network, plmn) > self.score(best, plmn):
                    best = network
        return best

    def current_score(self, plmn: str | None, beside: str | None = None) -> float:
        """Return the rating of the serving network `plmn`, by its smoothed signal. `beside`: see `plmn` of `score`."""
        return self.score(VisibleNetwork(plmn, self._csq or 0), beside or plmn)

    def may_scan(self, now_s: int) -> bool:
        """Return whether the scan budget allows a scan now."""
        scans = recent(self.scans, now_s)
        return len(scans) < SCANS_A_DAY and (not scans or now_s - scans[-1] >= SCAN_DISTANCE_S)

    def may_switch(self, now_s: int) -> bool:
        """Return whether the switch budget allows a switch now."""
        return len(recent(self.switches, now_s)) < SWITCHES_A_DAY

    def is_settling(self, now_s: int) -> bool:
        """Return whether the last switch was less than DWELL_S ago."""
        return bool(self.switches) and 0 <= now_s - self.switches[-1] < DWELL_S

    def _serve(self, plmn: str | None) -> None:
        self._serving = plmn
        self._csq = self._poor_since_s = None
        self.samples = 0
        self._data_failures = []

    def _is_weak(self, now_s: int) -> bool:
        return self._poor_since_s is not None and now_s - self._poor_since_s >= POOR_S + self._jitter_s

    def _record(self, plmn: str) -> "list[Any]":
        if plmn not in self.networks:
            if len(self.networks) >= NETWORKS_KEPT:
                oldest = min(self.networks, key=lambda other: (other == self.good, self.networks[other][_UNTIL]))
                del self.networks[oldest]
            self.networks[plmn] = list(_FRESH)
        return self.networks[plmn]

    def _quarantine(self, now_s: int, plmn: str, cause: int | str | None, strikes: int) -> None:
        self._failing_since_s = None
        record = self._record(plmn)
        record[_FAILED] = min(record[_FAILED] + 1, COUNT_MAX)
        record[_CAUSE] = cause
        record[_STRIKES] = min(record[_STRIKES] + strikes, len(QUARANTINE_S))
        record[_UNTIL] = now_s + QUARANTINE_S[record[_STRIKES] - 1]

    def _suspect(self, now_s: int, plmn: str) -> None:
        self.suspects = [suspect for suspect in self.suspects if suspect[0] != plmn] + [(plmn, now_s)]
        if self.broker_suspect(now_s):  # then the networks are not the cause
            for other, _ in self.suspects:
                self.networks[other][_UNTIL] = 0


_OK, _FAILED, _STRIKES, _UNTIL, _CAUSE = range(5)  # indices in the record of a network
_FRESH = (0, 0, 0, 0, None)
