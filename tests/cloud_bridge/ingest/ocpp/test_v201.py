"""Does a station of OCPP 2.0.1 give the same rows as a charger of 1.6, also after a time offline?"""

from typing import Any

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.actions import carry_out
from cloud_bridge.ingest.ocpp.charger import ChargerState, charger_of
from cloud_bridge.ingest.ocpp.frames import Call
from cloud_bridge.ingest.ocpp.v201 import DIALECT
from cloud_bridge.wire import Event, Message, Session, decode, read_object
from tests.cloud_bridge.running import START_MS

HOUR_S = 3600


class Station:
    """A station's messages, and our state for it."""

    def __init__(self) -> None:
        self.state = ChargerState()
        self.stored: list[Message] = []
        self.now_s = START_MS // 1000
        self._sequence = 0

    def say(self, action: str, **payload: Any) -> dict[str, Any]:
        outcome = carry_out(DIALECT.actions, self.state, Call("1", action, payload), self.now_s * 1000)
        assert outcome.refused is None
        self.stored += [decode(*record) for record in outcome.records]
        return outcome.answer

    def tell(self, status: str, evse: int = 1, connector: int = 1) -> None:
        told = {"evseId": evse, "connectorId": connector, "connectorStatus": status}
        assert self.say("StatusNotification", timestamp=iso_utc(self.now_s * 1000), **told) == {}

    def transaction(self, kind: str, doing: str | None = None, ago_s: int = 0, **more: Any) -> dict[str, Any]:
        """Send a TransactionEvent; `wh` is its meter reading."""
        wh, name = more.pop("wh", None), more.pop("name", "tx 1")
        at = iso_utc((self.now_s - ago_s) * 1000)
        info = {"transactionId": name} | ({"chargingState": doing} if doing else {})
        if wh is not None:
            of_unit = {"unitOfMeasure": {"unit": "kWh", "multiplier": 0}}
            more["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": wh / 1000, **of_unit}]}]
        self._sequence += 1
        payload = {"eventType": kind, "timestamp": at, "triggerReason": "CablePluggedIn", "seqNo": self._sequence}
        return self.say("TransactionEvent", **(payload | {"transactionInfo": info} | more))

    @property
    def sessions(self) -> list[Session]:
        return [one for one in self.stored if isinstance(one, Session)]

    @property
    def events(self) -> list[tuple[str | None, Any]]:
        return [(one.kind, (one.details or {}).get("fault")) for one in self.stored if isinstance(one, Event)]


def test_it_boots_and_its_parts_are_named() -> None:
    station = Station()
    modem = {"iccid": "8944", "imsi": "234"}
    of_it = {"vendorName": "V", "model": "M", "serialNumber": "9" * 31, "firmwareVersion": "2.1", "modem": modem}
    answer = station.say("BootNotification", reason="PowerUp", chargingStation=of_it)
    assert answer == {"status": "Accepted", "currentTime": iso_utc(START_MS), "interval": 300}
    [boot] = station.stored
    assert isinstance(boot, Event) and boot.details is not None
    assert (boot.details["v"], boot.details["model"], boot.details["iccid"]) == ("2.1", "M", "8944")


def test_a_charge_is_a_state_and_a_session() -> None:
    station = Station()
    station.tell("Available")
    assert station.state.state == "A1"
    station.tell("Occupied")
    assert station.state.state == "B1"
    token = {"idToken": "04AABB", "type": "ISO14443"}
    begun = station.transaction("Started", "EVConnected", evse={"id": 1, "connectorId": 1}, idToken=token, wh=1000)
    assert begun == {"idTokenInfo": {"status": "Accepted"}}
    assert station.transaction("Updated", "Charging", wh=1500) == {}
    station.tell("Occupied")
    assert station.state.state == "C2", "occupied is no news"
    station.now_s += HOUR_S
    station.transaction("Updated", "SuspendedEV", wh=8000)
    assert station.state.state == "B2"
    station.transaction("Ended", "EVConnected", wh=8000)
    station.tell("Available")
    assert station.state.state == "A1"
    [session] = station.sessions
    assert (session.energy_wh, session.duration_s) == (7000, HOUR_S)


def test_what_it_kept_while_offline_is_history() -> None:
    station = Station()
    station.tell("Available")
    station.transaction("Started", "Charging", 3 * HOUR_S, name="old", offline=True, wh=0)
    station.transaction("Updated", "Charging", 2 * HOUR_S, name="old", offline=True, wh=4000)
    assert station.state.state == "A1", "it charged hours ago"
    station.transaction("Ended", "Idle", HOUR_S, name="old", offline=True, wh=7000)
    assert station.state.state == "A1" and [one.energy_wh for one in station.sessions] == [7000]
    station.transaction("Started", "Charging", 0, name="new", wh=7000)
    assert station.state.state == "C2"


def test_the_end_that_comes_late_ends_what_we_show() -> None:
    station = Station()
    station.transaction("Started", "Charging", wh=0)
    station.now_s += 3 * HOUR_S
    station.transaction("Ended", "SuspendedEV", 2 * HOUR_S, offline=True, wh=5000)
    assert station.state.state == "B1" and station.state.connectors[1].watts == 0.0


def test_an_event_that_is_older_than_one_that_was_heard_is_no_state_of_now() -> None:
    station = Station()
    station.transaction("Started", "EVConnected", seqNo=0)
    station.transaction("Updated", "SuspendedEV", seqNo=5)
    station.transaction("Updated", "Charging", seqNo=3)
    assert station.state.state == "B2"


def test_what_is_sent_again_is_one_session_and_one_name_used_twice_is_two() -> None:
    station = Station()
    for _ in range(2):
        station.transaction("Started", "Charging", seqNo=0, wh=0)
        station.transaction("Ended", "Idle", seqNo=2, wh=100)
        station.transaction("Ended", "Idle", seqNo=2, wh=100)
        station.now_s += HOUR_S
    numbers = [one.boot for one in station.sessions]
    assert len(numbers) == len({*numbers}) == 2
    only_end = Station()
    only_end.transaction("Ended", "Idle", 0)
    only_end.transaction("Ended", "Idle", 0)
    assert len({one.boot for one in only_end.sessions}) == 1, "known to the store by its number"


def test_it_goes_on_after_a_restart_of_ours() -> None:
    station = Station()
    station.transaction("Started", "Charging", wh=1000, seqNo=4)
    station.state = charger_of(read_object(station.state.heartbeat()))
    assert station.state.running is not None
    assert (station.state.running.name, station.state.running.sequence) == ("tx 1", 4)
    station.transaction("Ended", "Idle", wh=3000)
    assert [one.energy_wh for one in station.sessions] == [2000]


def problem(component: str, evse: int | None = 1, cleared: bool = False) -> dict[str, Any]:
    where = {} if evse is None else {"evse": {"id": evse, "connectorId": 1}}
    of_it = {"component": {"name": component} | where, "variable": {"name": "Problem"}, "cleared": cleared}
    return {"eventId": 1, "trigger": "Alerting", "actualValue": "true"} | of_it


def test_a_problem_names_the_fault_of_a_connector() -> None:
    station = Station()
    station.say("NotifyEvent", seqNo=0, eventData=[problem("RCD")])
    assert station.state.faults == []
    station.tell("Faulted")
    assert station.state.faults == ["ocpp_groundfailure"]
    station.tell("Available")
    assert station.state.faults == [] and station.state.state == "A1"
    station.tell("Faulted")
    assert station.state.faults == ["ocpp_other"]
    faults = [one for one in station.events if one[1] is not None]
    assert faults == [
        ("fault_raised", "ocpp_groundfailure"),
        ("fault_cleared", "ocpp_groundfailure"),
        ("fault_raised", "ocpp_other"),
    ]


def test_a_problem_of_the_whole_station_names_its_fault_too() -> None:
    station = Station()
    station.say("NotifyEvent", eventData=[problem("PowerContactor", None)])
    station.tell("Faulted")
    assert station.state.faults == ["ocpp_powerswitchfailure"]
    station.say("NotifyEvent", eventData=[problem("PowerContactor", None, cleared=True)])
    assert station.state.faults == ["ocpp_other"], "still faulted, and it does not say by what"


def test_what_a_transaction_does_mends_no_fault() -> None:
    station = Station()
    station.tell("Faulted")
    station.transaction("Updated", "Charging")
    assert station.state.faults == ["ocpp_other"]


def test_connectors_of_one_evse_are_told_apart() -> None:
    station = Station()
    station.tell("Occupied", 1, 1)
    station.tell("Available", 1, 2)
    station.tell("Unavailable", 2, 1)
    assert station.state.state == "B1" and station.state.plugged == 1
    assert sorted(station.state.connectors) == [1, 2, 102]


def test_easees_measurand_is_its_signal() -> None:
    station = Station()
    rssi = {"value": -83, "measurand": "RSSI.Mobile", "unit": "RSSI"}
    station.say("MeterValues", evseId=1, meterValue=[{"sampledValue": [rssi]}])
    assert station.state.csq == 15
    for nonsense in (0, 20, -300):
        station.say("MeterValues", evseId=1, meterValue=[{"sampledValue": [rssi | {"value": nonsense}]}])
    assert station.state.csq == 15
