"""Is a charger set up by OCPP's schemas, one setting after the other, and its answer parsed as far as possible?"""

from typing import Any

import pytest

from cloud_bridge.ingest.ocpp.actions import carry_out
from cloud_bridge.ingest.ocpp.charger import MAX_SETTINGS, ChargerState, charger_of
from cloud_bridge.ingest.ocpp.configuration import AGAIN_AFTER_S, SettingUp, is_due
from cloud_bridge.ingest.ocpp.dialect import Dialect
from cloud_bridge.ingest.ocpp.dialects import DIALECTS
from cloud_bridge.ingest.ocpp.frames import Call, Reply
from cloud_bridge.ocpp_settings import OFFLINE, Answered, Setting, Told, Tried, offline
from cloud_bridge.wire import read_object
from tests.cloud_bridge.ingest.ocpp.test_orders import V16, V201, check_call
from tests.cloud_bridge.running import START_MS

NOW_S = START_MS // 1000


def set_to(status: Any, dialect: Dialect = V201) -> dict[str, Any]:
    return {"setVariableResult": [{"attributeStatus": status}]} if dialect is V201 else {"status": status}


@pytest.mark.parametrize(("dialect", "version"), [(V16, "1.6"), (V201, "2.0.1")])
def test_it_is_set_and_asked_one_call_after_the_other(dialect: Dialect, version: str) -> None:
    on_the_way, found = SettingUp(dialect.set_up), []
    while (step := on_the_way.next()) is not None:
        check_call(step.action, step.payload, version)
        found += on_the_way.answered(Reply("1", set_to("Accepted", dialect)))
    assert [one.name for one in found] == [one.name for one in dialect.set_up.wishes]
    assert {one.answered for one in found if isinstance(one, Tried)} == {Answered.ACCEPTED}
    assert len(OFFLINE & {one.name for one in found}) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (set_to("Accepted", V16), Answered.ACCEPTED),
        (set_to("accepted", V16), Answered.ACCEPTED),
        (set_to("RebootRequired", V16), Answered.REBOOT),
        (set_to("NotSupported", V16), Answered.UNKNOWN),
        (set_to("Rejected", V16), Answered.REJECTED),
        ({}, Answered.REJECTED),
        (set_to(7, V16), Answered.REJECTED),
        (set_to(["Accepted"], V16), Answered.REJECTED),
    ],
)
def test_an_answer_of_16_is_read(answer: dict[str, Any], said: Answered) -> None:
    on_the_way = SettingUp(V16.set_up)
    on_the_way.next()
    assert on_the_way.answered(Reply("1", answer)) == [Tried("LocalAuthorizeOffline", "true", said)]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (set_to("Accepted"), Answered.ACCEPTED),
        (set_to("RebootRequired"), Answered.REBOOT),
        (set_to("UnknownComponent"), Answered.UNKNOWN),
        (set_to("UnknownVariable"), Answered.UNKNOWN),
        (set_to("NotSupportedAttributeType"), Answered.UNKNOWN),
        (set_to("Rejected"), Answered.REJECTED),
        ({"setVariableResult": {"attributeStatus": "ACCEPTED"}}, Answered.ACCEPTED),  # not a list
        ({"setVariableResult": [{"status": "Accepted"}]}, Answered.ACCEPTED),  # the key of OCPP 1.6
        ({"status": "Accepted"}, Answered.ACCEPTED),
        ({"setVariableResult": []}, Answered.REJECTED),
        ({"setVariableResult": ["Accepted"]}, Answered.REJECTED),
        (set_to("Fine"), Answered.REJECTED),
        (set_to(None), Answered.REJECTED),
    ],
)
def test_an_answer_of_201_is_read(answer: dict[str, Any], said: Answered) -> None:
    on_the_way = SettingUp(V201.set_up)
    on_the_way.next()
    assert on_the_way.answered(Reply("1", answer)) == [Tried("AuthCtrlr.LocalAuthorizeOffline", "true", said)]


def test_one_that_knows_no_such_call_is_not_sent_it_again() -> None:
    for dialect in DIALECTS.values():
        on_the_way = SettingUp(dialect.set_up)
        on_the_way.next()
        found = on_the_way.answered(Reply("1", {}, "NotImplemented"))
        assert [(one.name, one.answered) for one in found if isinstance(one, Tried)] == [
            (one.name, Answered.UNKNOWN) for one in dialect.set_up.wishes
        ]
        assert on_the_way.next() == dialect.set_up.asks[0]
        assert on_the_way.answered(Reply("2", {}, "NotSupported")) == []
        assert on_the_way.next() is None


def test_another_error_is_of_one_setting_alone() -> None:
    on_the_way = SettingUp(V16.set_up)
    on_the_way.next()
    [first] = on_the_way.answered(Reply("1", {}, "InternalError"))
    second = on_the_way.next()
    assert isinstance(first, Tried) and first.answered is Answered.REJECTED
    assert second == V16.set_up.wishes[1].step


def test_what_a_charger_of_16_tells_is_read_and_nothing_else_kept() -> None:
    keys = [
        {"key": "heartbeatinterval", "readonly": False, "value": 300},
        {"key": "LocalAuthorizeOffline", "value": True},
        {"key": "SupportedFeatureProfiles", "value": "Core," * 99},
        {"key": "StationPassword", "value": "LetMeIn!"},  # lbbrhzn#899
        {"key": 7},
        "HeartbeatInterval",
    ]
    found = V16.set_up.told({"configurationKey": keys, "unknownKey": ["ConnectionTimeOut", None, 3]})
    assert found[:2] == [Told("HeartbeatInterval", "300"), Told("LocalAuthorizeOffline", "true")]
    assert [one.name for one in found[2:]] == ["SupportedFeatureProfiles", "ConnectionTimeOut"]
    assert len(found[2].value or "") == 100 and found[3].value is None
    for odd in ({}, {"configurationKey": None, "unknownKey": "all"}, {"configurationKey": "HeartbeatInterval"}):
        assert V16.set_up.told(odd) == []


def variable(component: Any, name: Any, **more: Any) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}} | more


def test_what_a_station_of_201_tells_is_read_asked_or_not() -> None:
    asked = [
        variable("AuthCtrlr", "LocalAuthorizeOffline", attributeStatus="Accepted", attributeValue="true"),
        variable("TxCtrlr", "EVConnectionTimeOut", attributeStatus="UnknownVariable"),
        variable("SecurityCtrlr", "BasicAuthPassword", attributeStatus="Accepted", attributeValue="secret"),
        {"component": "AuthCtrlr", "variable": None},
    ]
    found = V201.set_up.told({"getVariableResult": asked})
    assert found == [Told("AuthCtrlr.LocalAuthorizeOffline", "true"), Told("TxCtrlr.EVConnectionTimeOut", None)]
    charger = ChargerState()
    attributes = [{"type": "MaxSet", "value": 900}, {"value": 60, "mutability": "ReadWrite"}]
    report = [variable("SampledDataCtrlr", "TxUpdatedInterval", variableAttribute=attributes), variable(1, 2), None, 5]
    call = Call("1", "NotifyReport", {"requestId": "x", "seqNo": None, "reportData": report * 40})
    assert carry_out(V201.actions, charger, call, START_MS).answer == {}
    assert set(charger.settings) == {Told("SampledDataCtrlr.TxUpdatedInterval", "60")}
    assert len(charger.settings) <= MAX_SETTINGS
    charger.hand_on_settings()
    assert charger.settings == []


def test_it_is_set_up_once_a_day_and_that_is_not_forgotten() -> None:
    assert is_due(0, NOW_S) and not is_due(NOW_S - AGAIN_AFTER_S + 1, NOW_S)
    assert is_due(NOW_S - AGAIN_AFTER_S, NOW_S) and is_due(NOW_S + 60, NOW_S), "by a clock that was wrong"
    charger = ChargerState(set_up_s=NOW_S)
    assert charger_of(read_object(charger.heartbeat())).set_up_s == NOW_S
    assert charger_of({"ocpp": {"set": "soon"}}).set_up_s == 0


def test_without_a_connection_the_worst_answer_counts() -> None:
    def of(**answers: Answered) -> Answered | None:
        return offline([Setting(f"AuthCtrlr.{name}", "true", said, None) for name, said in answers.items()])

    both = ("LocalAuthorizeOffline", "OfflineTxForUnknownIdEnabled")
    assert of() is None and of(AuthorizeRemoteStart=Answered.REJECTED) is None
    assert of(**dict.fromkeys(both, Answered.ACCEPTED)) is Answered.ACCEPTED
    assert (
        of(LocalAuthorizeOffline=Answered.ACCEPTED, OfflineTxForUnknownIdEnabled=Answered.UNKNOWN) is Answered.UNKNOWN
    )


@pytest.mark.parametrize(
    ("since_s", "due"), [(0, False), (AGAIN_AFTER_S - 1, False), (AGAIN_AFTER_S, True), (-1, True)]
)
def test_it_is_set_up_again_after_its_time_or_when_the_clock_was_set_back(since_s: int, due: bool) -> None:
    now_s = START_MS // 1000
    assert is_due(now_s - since_s, now_s) is due and is_due(0, now_s)
