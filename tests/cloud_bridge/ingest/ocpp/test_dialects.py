"""Is the OCPP version the charger's first preference among those that we support?"""

import pytest

from cloud_bridge.ingest.ocpp.dialects import chosen


@pytest.mark.parametrize(
    ("offered", "written"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"),
        (["ocpp1.6", "ocpp2.0.1"], "ocpp1.6"),
        (["ocpp2.1", "OCPP2.0.1"], "OCPP2.0.1"),
        (["ocpp1.5", "OCPP1.6"], "OCPP1.6"),
        (["ocpp2.0"], None),
        ([], None),
    ],
)
def test_the_first_that_we_speak_is_chosen_as_it_was_written(offered: list[str], written: str | None) -> None:
    found = chosen(offered)
    assert (None if found is None else found[0]) == written
    assert found is None or found[1].subprotocol == found[0].lower()
