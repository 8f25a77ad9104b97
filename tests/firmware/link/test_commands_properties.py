"""With any bytes as a command or as MQTT: does no error escape, and does nothing change that was not commanded?"""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from umqtt.simple import MQTTException

from firmware.link import commands
from firmware.link.commands import TABLE, Refused
from tests.firmware.link.test_mqtt import connected

EXAMPLES = int(os.environ.get("FUZZ_STEPS", "3000")) // 10
pytestmark = pytest.mark.timeout(600)  # `make fuzz` on a busy machine

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
nearly = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["c", "done"]) | anything,
        "do": st.sampled_from(sorted(TABLE)) | anything,
        "exp": st.integers(-10, 2_000_000_000) | anything,
        "amps": st.integers(-5, 90) | anything,
        "s": anything,
        "hours": anything,
        "set": anything,
    },
)
payloads = st.binary(max_size=1200) | anything.map(json.dumps).map(str.encode) | nearly.map(json.dumps).map(str.encode)


@settings(max_examples=EXAMPLES, deadline=None)
@given(payloads, st.none() | st.integers(0, 2_000_000_000))
def test_a_payload_is_a_valid_command_or_refused(payload: bytes, time_s: int | None) -> None:
    try:
        command = commands.read(payload, time_s, ["done"])
    except Refused as refused:
        assert refused.why.isprintable() and refused.why
        assert refused.id is None or (0 < len(refused.id) <= commands.ID_MAX and refused.id.isprintable())
        return
    must_end, checks = TABLE[command.do]
    assert command.id != "done" and set(command.arguments) == set(checks)
    if command.exp is not None or must_end:
        assert time_s is not None and time_s < command.exp <= time_s + commands.AHEAD_MAX_S


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_of_a_broker_are_messages_or_an_oserror(pieces: list[bytes]) -> None:
    mqtt, broker, clock = connected()
    for piece in pieces:
        broker.coming += piece
        try:
            mqtt.check_msg()
            mqtt.publish("t", b"x", qos=1)
            mqtt.ping()
        except OSError:
            return  # the connection has ended
    assert clock.now < 10**6


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=60))
def test_any_answer_to_a_subscription_is_taken_refused_or_an_oserror(answer: bytes) -> None:
    mqtt, broker, _ = connected(lambda packet: answer)
    try:
        mqtt.subscribe("cp/CP1/command", 1)
    except (OSError, MQTTException):
        pass
