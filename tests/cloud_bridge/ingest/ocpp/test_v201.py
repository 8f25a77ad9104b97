"""Does a station of OCPP 2.0.1 give the same rows as a charger of 1.6, also after a time offline?"""

from typing import Any

import pytest

from cloud_bridge.clock import iso_utc
from cloud_bridge.ingest.ocpp.actions import carry_out
from cloud_bridge.ingest.ocpp.charger import ChargerState, charger_of
from cloud_bridge.ingest.ocpp.frames import Call
from cloud_bridge.ingest.ocpp.orders import Step
from cloud_bridge.ingest.ocpp.transactions import Transaction
from cloud_bridge.ingest.ocpp.v201 import DIALECT, MAX_EVENTS, OTHER_ERROR
from cloud_bridge.ocpp_settings import Told
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


# What it asks and we do not do


def test_what_only_has_to_be_noted_or_refused() -> None:
    station = Station()
    for action in (
        "ClearedChargingLimit", "NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDisplayMessages",
        "NotifyMonitoringReport", "ReportChargingProfiles", "ReservationStatusUpdate",
    ):  # fmt: skip
        assert station.say(action) == {} and station.stored == []
    assert station.say("Get15118EVCertificate") == {"status": "Failed", "exiResponse": ""}
    assert station.say("GetCertificateStatus") == {"status": "Failed"}
    for action in ("NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "SignCertificate"):
        assert station.say(action) == {"status": "Rejected"}
    assert station.say("Authorize") == {"idTokenInfo": {"status": "Accepted"}}
    for action in ("FirmwareStatusNotification", "PublishFirmwareStatusNotification", "LogStatusNotification"):
        assert station.say(action, status="Idle") == {}
    assert station.say("SecurityEventNotification", type="Tamper") == {}
    assert [kind for kind, _ in station.events] == ["firmware", "firmware", "diagnostics", "security"]


@pytest.mark.parametrize(
    ("evse", "connector", "at"),
    [
        (1, 1, 1),
        (1, None, 1),
        (0, 0, 0),
        (2, 2, 202),
        (2, 99, 299),
        (2, 100, 2),
        (99, 1, 99),
        (100, 1, 1),
        (-1, 1, 1),
        (None, None, 1),
    ],
)
def test_a_connector_is_numbered_among_all_of_its_station(evse: int | None, connector: int | None, at: int) -> None:
    station = Station()
    station.say("StatusNotification", evseId=evse, connectorId=connector, connectorStatus="Available")
    assert list(station.state.connectors) == [at]


def test_readings_are_of_the_first_connector_of_their_evse() -> None:
    station = Station()
    station.say("MeterValues", evseId=2, meterValue=[{"sampledValue": [{"value": 5}]}])
    assert station.state.connectors[2].total_wh == 5


def test_a_status_tells_how_far_its_clock_is_behind() -> None:
    station = Station()
    station.say("StatusNotification", evseId=1, connectorStatus="Available", timestamp=iso_utc(START_MS - 90_000))
    assert station.state.behind_s == 90


def test_a_transaction_without_the_register_of_its_beginning_has_no_energy() -> None:
    station = Station()
    station.transaction("Started", "Charging")
    station.transaction("Ended", "Idle", wh=3000)
    assert [one.energy_wh for one in station.sessions] == [None]


def test_of_one_whose_beginning_was_missed_the_readings_of_its_end_count_if_there_are_two() -> None:
    for registers, energy in (((1000, 1600, 1500), 500), ((1500,), None)):
        station = Station()
        samples = [{"sampledValue": [{"value": wh}]} for wh in registers]
        station.transaction("Ended", meterValue=samples)
        assert [one.energy_wh for one in station.sessions] == [energy]


def test_an_end_that_does_not_say_so_leaves_a_vehicle_that_is_finished() -> None:
    station = Station()
    station.transaction("Started", "Charging", wh=0)
    station.transaction("Ended", wh=10)
    assert station.state.connectors[1].status == "Finishing" and station.state.state == "B1"
    station = Station()
    station.transaction("Started", "Charging", wh=0)
    station.transaction("Ended", "Charging", wh=10)
    assert station.state.connectors[1].status == "Finishing", "it does not charge any more"


def test_an_event_of_a_component_is_kept_and_no_more_than_some_of_them() -> None:
    station = Station()
    data = {"component": {"name": "C"}, "variable": {"name": "Power"}, "actualValue": "7", "techCode": "T1"}
    station.say("NotifyEvent", eventData=[data] * (MAX_EVENTS + 1))
    assert [kind for kind, _ in station.events] == ["monitor"] * MAX_EVENTS
    [first, *_] = station.stored
    assert isinstance(first, Event) and first.details == {"what": "C", "which": "Power", "value": "7", "code": "T1"}
    assert station.state.faults == [] and station.state.connectors == {}, "it says nothing of what is wrong"


def test_a_problem_is_over_when_it_is_cleared_or_false() -> None:
    for over in ({"cleared": True}, {"actualValue": "False"}):
        station = Station()
        station.say("NotifyEvent", eventData=[problem("RCD")])
        assert station.state.connectors[1].error == "groundfailure"
        station.say("NotifyEvent", eventData=[problem("RCD") | over])
        assert station.state.connectors[1].error is None
    station.say("NotifyEvent", eventData=[problem("something else")])
    assert station.state.connectors[1].error == OTHER_ERROR


# Settings


def test_the_actual_values_of_a_report_are_its_settings() -> None:
    station = Station()
    name = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    values = [{"value": "1", "type": "Target"}, {"value": "300"}, {"value": "5", "type": "MaxSet"}]
    station.say("NotifyReport", reportData=[name | {"variableAttribute": values}])
    assert station.state.hand_on_settings() == [Told("OCPPCommCtrlr.HeartbeatInterval", "300")]
    got = [name | {"attributeValue": "60", "attributeStatus": "Accepted"}]
    assert Told("OCPPCommCtrlr.HeartbeatInterval", "60") in DIALECT.set_up.told({"getVariableResult": got})


def test_a_setting_is_taken_by_its_own_status_or_that_of_the_answer() -> None:
    status = DIALECT.set_up.status
    assert (
        status({"setVariableResult": [{"attributeStatus": "Accepted"}, {"attributeStatus": "Rejected"}]}) == "Accepted"
    )
    assert status({"setVariableResult": [{"status": "Rejected"}]}) == "Rejected"
    assert status({"status": "Unknown"}) == "Unknown"


def test_it_is_asked_for_a_few_settings_at_once() -> None:
    asked = [len(step.payload["getVariableData"]) for step in DIALECT.set_up.asks]
    assert asked == [4, 4, 4]
    assert DIALECT.set_up.asks[0].payload["getVariableData"][0] == {
        "component": {"name": "AuthCtrlr"},
        "variable": {"name": "LocalAuthorizeOffline"},
    }


# Our commands


def plan(do: str, state: ChargerState | None = None, **command: Any) -> tuple[Step, ...]:
    return DIALECT.plan(do, command, state or ChargerState(), START_MS)


def with_vehicle(at: int, status: str = "Preparing") -> ChargerState:
    state = ChargerState()
    state.take_status(at, status, None)
    return state


NO_PROFILE = Step("ClearChargingProfile", {"chargingProfileId": 1}, frozenset({"accepted", "unknown"}))


def test_a_limit_is_a_profile_of_the_whole_station() -> None:
    (step,) = plan("limit", amps=16, exp=START_MS // 1000 + 600)
    assert step.action == "SetChargingProfile" and step.payload["evseId"] == 0
    profile = step.payload["chargingProfile"]
    [schedule] = profile["chargingSchedule"]
    assert (profile["id"], schedule["id"], schedule["duration"]) == (1, 1, 600)
    assert profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
    assert plan("pause", amps=16, exp=START_MS // 1000 + 600) == (step,)


@pytest.mark.parametrize(("at", "evse", "connector"), [(1, 1, 1), (99, 99, 1), (202, 2, 2)])
def test_to_charge_now_and_to_unlock_are_of_the_evse_with_the_vehicle(at: int, evse: int, connector: int) -> None:
    first, second = plan("override", with_vehicle(at), on=True)
    assert first == NO_PROFILE and second.action == "RequestStartTransaction"
    asked = second.payload
    assert asked["evseId"] == evse and asked["idToken"] == {"idToken": "CHARGEKEEPER", "type": "Central"}
    assert asked["remoteStartId"] == START_MS // 1000
    [unlock] = plan("unlock", with_vehicle(at))
    assert unlock == Step("UnlockConnector", {"evseId": evse, "connectorId": connector}, frozenset({"unlocked"}))


def test_what_has_no_vehicle_or_no_transaction_has_less_to_do() -> None:
    assert plan("override", on=True) == plan("resume") == (NO_PROFILE,)
    assert plan("override", on=False) == plan("override") == plan("fly") == plan("stop") == ()
    assert plan("unlock")[0].payload == {"evseId": 1, "connectorId": 1}
    assert plan("reboot") == (Step("Reset", {"type": "OnIdle"}, frozenset({"accepted", "scheduled"})),)
    state = ChargerState()
    state.begin(Transaction(7, 1, None, None))
    assert plan("stop", state) == (), "its name cannot be said"
    state.begin(Transaction(8, 1, None, None, name="tx 8"))
    assert plan("stop", state) == (Step("RequestStopTransaction", {"transactionId": "tx 8"}),)


def test_a_status_is_asked_of_a_connector() -> None:
    asked = {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}
    assert DIALECT.trigger("StatusNotification") == asked
    assert DIALECT.trigger("Heartbeat") == {"requestedMessage": "Heartbeat"}
