"""Are the codes those of RFC 6238, and only accepted near their time?"""

import pytest

from cloud_bridge.totp import STEP_S, app_address, as_base32, matching_step, new_totp_secret
from tests.cloud_bridge.authenticator import code_of

RFC_SECRET = b"12345678901234567890"  # RFC 6238 B, SHA-1
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
STEP_MS = STEP_S * 1000


@pytest.mark.parametrize(("at_s", "code"), RFC_CODES.items())
def test_the_codes_are_those_of_the_rfc(at_s: int, code: str) -> None:
    """The last six of its eight digits."""
    assert matching_step(RFC_SECRET, code, at_s * 1000) == at_s // STEP_S
    assert code_of(as_base32(RFC_SECRET), at_s * 1000) == code, "and the app of the tests makes the same"


@pytest.mark.parametrize(("off", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_around_its_own(off: int, counts: bool) -> None:
    now_ms = 1_111_111_111_000
    code = code_of(as_base32(RFC_SECRET), now_ms + off * STEP_MS)
    assert (matching_step(RFC_SECRET, code, now_ms) is not None) is counts


def test_a_step_that_was_used_does_not_count_and_its_neighbours_do() -> None:
    now_ms = 1_111_111_111_000
    used = [now_ms // STEP_MS]
    codes = [code_of(as_base32(RFC_SECRET), now_ms + off * STEP_MS) for off in (-1, 0, 1)]
    assert [matching_step(RFC_SECRET, code, now_ms, used) for code in codes] == [used[0] - 1, None, used[0] + 1]


@pytest.mark.parametrize(
    "typed", ["", "28708", "2870820", "94287082", "２８７０８２", "28 082", "-28708", "abcdef", "28708\n"]
)
def test_what_is_no_code_is_wrong(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, 59_000) is None


def test_a_secret_is_new_each_time_and_its_address_is_one_that_apps_read() -> None:
    assert len({new_totp_secret() for _ in range(20)}) == 20
    address = app_address(RFC_SECRET, "ol ga@example.org")
    assert address.startswith("otpauth://totp/Chargekeeper:ol%20ga%40example.org?")
    for part in ("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "issuer=Chargekeeper", "digits=6", "period=30"):
        assert part in address
