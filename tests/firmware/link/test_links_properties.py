"""However a network drops connections: does the unit keep a working connection, within its data budget?"""

import math

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hil_tests.bench.modem.charge_point import ChargePoint
from hil_tests.sim.modem.world_file import scene

HOURS = 3
HEARTBEAT_S = 300
LONGEST_END_S = 120
ACKNOWLEDGED_WITHIN_S = HEARTBEAT_S + LONGEST_END_S + 90  # a heartbeat, the end of the connection, and reconnecting
GRACE_S = 40  # after an end this short, only reconnecting is tried
# The charged bytes, as `python -m hil_tests.bench.air` prints them: a heartbeat or ping with its answer, a connection.
BEAT_BYTES, PING_BYTES, CONNECTION_BYTES = 400, 200, 5_000
MONTH_BYTES = 30_000_000  # of a machine data plan; they are sold from about 10 MB up [unverified]
MONTH_S = 30 * 86400
SOONEST_S = 27  # cannot be kept alive if dropped sooner: a ping every 25 s, checked once a second (idle_span.py)

carriers = st.one_of(st.just(math.inf), st.integers(SOONEST_S, 400))
ends = st.lists(
    st.tuples(
        st.integers(60, HOURS * 3600 - 600),
        st.sampled_from(["closes", "down", "deaf"]),
        st.integers(1, LONGEST_END_S),
    ),
    max_size=3,
)


def lived(forgets_s, resets, ending):
    """Return the unit after some hours in which the broker closes all connections, or is down or deaf, at these seconds."""
    unit = ChargePoint(scene({}, 1))
    unit.uplink._settings._values["heartbeat_idle_s"] = HEARTBEAT_S
    unit.broker.forgets_s, unit.broker.resets = forgets_s, resets
    due = []
    for at_s, kind, lasts_s in ending:
        due.append((at_s, {"up": kind != "down", "deaf": kind == "deaf"}))
        due.append((at_s + lasts_s, {}))
    due.sort(key=lambda row: row[0])

    def happen():
        if due and unit.loop.time() >= due[0][0]:
            become = due.pop(0)[1]
            unit.loop.call_soon(lambda: unit.loop.create_task(unit.broker.become(**become)))
        return False

    unit.run(HOURS * 3600, happen)
    return unit


@settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # two seconds each
@given(carriers, st.booleans(), ends)
def test_a_unit_whose_beats_are_acknowledged_only_connects_again(forgets_s, resets, ending):
    unit = lived(forgets_s, resets, ending)
    try:
        contacts = [0.0, *unit.broker.contacts]
        apart_s = [later - sooner for sooner, later in zip(contacts, contacts[1:])]
        assert max(apart_s) <= ACKNOWLEDGED_WITHIN_S, apart_s
        network = unit.uplink.network
        assert (network.ladder.resets, network.known.scans, network.known.switches) == ([], [], [])
        remedies = [details["do"] for _, kind, details in unit.events if kind == "network"]
        long_ends = [lasts_s for _, kind, lasts_s in ending if kind != "closes" and lasts_s > GRACE_S]
        assert set(remedies) <= {"reshut"} and len(remedies) <= len(long_ends), unit.events
        connections = len(unit.broker.accepted)
        assert connections <= 7 + 4 * len(ending)
        beats = len(unit.broker.contacts)
        sent_bytes = beats * BEAT_BYTES + (len(unit.broker.messages) - beats) * PING_BYTES
        passed_s = unit.broker.messages[-1] - unit.broker.messages[0]
        learning_bytes = 30 * 7 * CONNECTION_BYTES  # the network is learned again each day
        assert sent_bytes * MONTH_S / passed_s + learning_bytes <= MONTH_BYTES, (beats, len(unit.broker.messages))
    finally:
        unit.close()
