"""In virtual time: is a healthy charger never silent, whatever its heartbeat, and is a dead connection given up?"""

import pytest

from cloud_bridge.ingest.ocpp.line import Do, Line

DAY_S = 86_400
SILENT_S = 30 * 60
STEP_S = 1.0


class Played:
    """A line, and a charger at its other end."""

    def __init__(self, ponged: bool, answers: bool, heartbeat_s: float | None = None, obeys: bool = False) -> None:
        self.line, self.now_s = Line(0.0), 0.0
        self.longest_s = self._frame_s = 0.0
        self.closed_s: float | None = None
        self.pings = self.probes = 0
        self.asked_s: list[float] = []  # times at which its interval was requested
        self.own_s: list[float] = []  # its own interval, as far as known
        self._obeys = obeys
        self._pongs, self._answers, self._heartbeat_s = ponged, answers, heartbeat_s

    def pass_time(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s and self.closed_s is None:
            self.now_s += STEP_S
            if self._heartbeat_s is not None and self.now_s % self._heartbeat_s == 0:
                self._frame()
            self._do(self.line.look(self.now_s))
            self.longest_s = max(self.longest_s, self.now_s - self._frame_s)

    def dies(self) -> None:
        """The connection becomes half open: it is not closed, and nothing arrives any more."""
        self._pongs = self._answers = False
        self._heartbeat_s = None

    def _do(self, due: Do | None) -> None:
        if due is Do.CLOSE:
            self.closed_s = self.now_s
        if due is Do.PING:
            self.pings += 1
            if self._pongs:
                self.line.sign(self.now_s, True)
        if due is Do.ASK_INTERVAL:
            self.asked_s.append(self.now_s)
            if self._answers:
                self._frame()
            if self._obeys:
                self._heartbeat_s = 300.0
        if due is Do.PROBE or due is Do.ASK_BOOT:
            self.probes += 1
            if self._answers:
                self._frame()

    def _frame(self) -> None:
        self._frame_s = self.now_s
        if (own_s := self.line.frame(self.now_s)) is not None:
            self.own_s.append(own_s)


@pytest.mark.parametrize("heartbeat_s", [4 * 3600, DAY_S, None])
@pytest.mark.parametrize("ponged", [True, False])
def test_a_charger_whose_heartbeat_is_rare_is_never_silent(heartbeat_s: float | None, ponged: bool) -> None:
    played = Played(ponged, answers=True, heartbeat_s=heartbeat_s)
    played.pass_time(DAY_S)
    assert played.closed_s is None and played.longest_s < SILENT_S


@pytest.mark.parametrize("ponged", [True, False])
def test_a_half_open_connection_is_given_up_before_its_charger_is_silent(ponged: bool) -> None:
    played = Played(ponged, answers=True, heartbeat_s=300)
    played.pass_time(3600)
    played.dies()
    played.pass_time(SILENT_S)
    assert played.closed_s is not None and played.closed_s - 3600 < SILENT_S


def test_one_whose_pongs_go_on_while_it_answers_nothing_is_given_up() -> None:
    played = Played(ponged=True, answers=False)
    played.pass_time(SILENT_S)
    assert played.closed_s is not None and played.pings > 0


def test_one_that_keeps_its_own_interval_is_asked_for_ours_once() -> None:
    played = Played(ponged=True, answers=True, heartbeat_s=4 * 3600, obeys=True)
    played.pass_time(DAY_S)
    assert len(played.asked_s) == 1 and played.asked_s[0] < 12 * 60
    assert played.probes == 1, "it has not to be asked for each heartbeat"
    stubborn = Played(ponged=True, answers=True, heartbeat_s=4 * 3600)
    stubborn.pass_time(DAY_S)
    assert len(stubborn.asked_s) == 1 and stubborn.longest_s < SILENT_S
    honoured = Played(ponged=True, answers=True, heartbeat_s=300)
    honoured.pass_time(DAY_S)
    assert honoured.asked_s == []


def test_one_that_answers_nothing_is_waited_for_after_that_has_ended_its_connection() -> None:
    first = Played(ponged=True, answers=False)
    first.pass_time(SILENT_S)
    assert first.closed_s is not None and first.line.has_asked_in_vain
    second = Played(ponged=True, answers=False, heartbeat_s=4 * 3600)
    second.line.waits = True
    second.pass_time(DAY_S)
    assert second.closed_s is None and second.own_s[0] == second.own_s[-1] == 4 * 3600


def test_one_that_is_waited_for_and_half_open_is_given_up() -> None:
    played = Played(ponged=True, answers=True, heartbeat_s=300)
    played.pass_time(3600)
    played.line.waits = True
    played.dies()
    played.pass_time(SILENT_S)
    assert played.closed_s is not None and played.closed_s - 3600 < SILENT_S


def test_none_is_pinged_while_its_frames_come() -> None:
    played = Played(ponged=True, answers=True, heartbeat_s=60)
    played.pass_time(DAY_S / 4)
    assert (played.pings, played.probes) == (0, 1), "and asked for its boot, once"


def test_one_that_answers_no_ping_while_its_frames_come_is_not_pinged_again() -> None:
    played = Played(ponged=False, answers=True, heartbeat_s=290)
    played.pass_time(DAY_S / 4)
    assert played.pings == 1 and played.closed_s is None


def test_no_call_goes_out_before_its_boot_is_answered() -> None:
    line = Line(0.0)
    assert not line.may_call(29.0) and line.may_call(30.0)
    line = Line(0.0)
    line.booted(5.0)
    assert not line.may_call(6.9) and line.may_call(7.0)
