"""With any readings in any order, does the total only grow, and by no more than time allows?"""

from hypothesis import given
from hypothesis import strategies as st

from firmware.charging.register import MOST_W, SLACK_WH, Register

READINGS = st.lists(
    st.tuples(
        st.sampled_from([20, 450, 5000, 60000]), st.one_of(st.none(), st.integers(0, 10**6), st.integers(0, 300))
    ),
    max_size=60,
)


@given(READINGS, st.integers(0, 10**6))
def test_energy_never_runs_backwards_and_never_ahead_of_the_circuit(readings, first_wh):
    register, now_ms, good = Register(), 0, 1
    register.read(0, first_wh)
    for apart_ms, meter_wh in readings:
        now_ms += apart_ms
        before_wh = register.total_wh
        register.read(now_ms, meter_wh)
        assert register.total_wh >= before_wh
        good += register.total_wh > before_wh
        assert register.total_wh - first_wh <= good * SLACK_WH + MOST_W * (now_ms // 1000 + good) // 3600
