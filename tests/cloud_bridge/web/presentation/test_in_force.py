"""Does the page show what the unit reported as in force, and for no longer than reported?"""

from typing import Any

import pytest

from cloud_bridge.web.presentation.in_force import Owner, answer, headline, later, of_heartbeat, of_result, wishes
from cloud_bridge.wire import Heartbeat, Result

NOW_S = 1_768_246_200  # Monday 12 January 2026, 19:30 in London
AT_20_50_S, AT_22_S, TOMORROW_S = NOW_S + 4800, NOW_S + 9000, NOW_S + 12 * 3600
ZONE = "Europe/London"


def heartbeat(**told: Any) -> Heartbeat:
    return Heartbeat(unit_time_s=NOW_S, **told)


def why(heartbeat: Heartbeat, plugged: bool = True, by: Owner = "you") -> str | None:
    found = headline(of_heartbeat(heartbeat), plugged, NOW_S * 1000, ZONE, by)
    return None if found is None else found.text


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            {"allowed_amps": 0, "limited_by": "schedule", "limited_until_s": AT_22_S},
            "Plugged in. Charges at 22:00, when your charging hours begin",
        ),
        (
            {"allowed_amps": 0, "limited_by": "schedule", "limited_until_s": TOMORROW_S},
            "Plugged in. Charges at 07:30 tomorrow, when your charging hours begin",
        ),
        ({"allowed_amps": 0, "limited_by": "schedule"}, "Paused outside your charging hours"),
        ({"allowed_amps": 0, "limited_by": "cloud", "limited_until_s": AT_20_50_S}, "Paused by you until 20:50"),
        (
            {"allowed_amps": 16, "limited_by": "cloud", "limited_until_s": AT_20_50_S},
            "Limited to 16 A by you until 20:50",
        ),
        ({"allowed_amps": 16, "limited_by": "load_manager"}, "Limited to 16 A: your house needs the rest"),
        (
            {"allowed_amps": 0, "limited_by": "schedule", "limited_until_s": NOW_S + 200, "random_delay_s": 200},
            "Random delay: 3 min 20 s, until 19:33:20. Then it charges",
        ),
        (
            {"limited_by": "installer", "random_delay_s": 45},
            "Random delay: 45 s, until 19:30:45. Then the change takes effect",
        ),
        (
            {"limited_by": "installer", "also_in_force": ["override"], "amps": 32},
            "Charges now, as you asked, until the vehicle is unplugged",
        ),
        ({"limited_by": "temperature", "amps": 20, "state": "C2"}, "Limited to 20 A: it is warm"),
        ({"limited_by": "contactor"}, "Paused for a few minutes: its contactor was switched too often"),
        ({"limited_by": "cable", "amps": 0, "state": "B1"}, None),
        ({"limited_by": "installer", "amps": 0, "state": "B1"}, None),
        ({"limited_by": "installer", "amps": 32, "state": "C2"}, None),
    ],
)
def test_the_second_headline_says_why_and_until_when(told: dict[str, Any], said: str | None) -> None:
    assert why(heartbeat(**told)) == said


def test_a_pause_that_outlasts_the_random_delay_is_told_with_its_own_end() -> None:
    told = heartbeat(allowed_amps=0, limited_by="schedule", limited_until_s=AT_22_S, random_delay_s=200)
    assert why(told) == "Plugged in. Charges at 22:00, when your charging hours begin"


def test_without_a_vehicle_only_wishes_are_explained() -> None:
    hours = heartbeat(allowed_amps=0, limited_by="schedule", limited_until_s=AT_22_S)
    assert why(hours, plugged=False) == "Does not charge before 22:00, when your charging hours begin"
    assert why(heartbeat(limited_by="cable", amps=0, state="A1"), plugged=False) is None


def test_support_reads_of_the_owner() -> None:
    told = heartbeat(allowed_amps=0, limited_by="cloud", limited_until_s=AT_20_50_S)
    assert why(told, by="owner") == "Paused by its owner until 20:50"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"state": "C2", "amps": 16, "limited_by": "cloud"}, "Limited to 16 A by you"),
        ({"state": "B1", "amps": 0, "limited_by": "cloud"}, "Paused by you"),
        ({"state": "A1", "amps": 0, "limited_by": "cloud"}, "Limited or paused by you"),
        ({"state": "B1", "amps": 0}, None),
    ],
)
def test_older_firmware_is_not_understood_to_say_more_than_it_does(told: dict[str, Any], said: str | None) -> None:
    assert why(heartbeat(**told)) == said
    assert of_result(Result(ok=True)) is None


def test_what_has_ended_by_its_own_words_is_said_no_more() -> None:
    paused = of_heartbeat(heartbeat(allowed_amps=0, limited_by="cloud", limited_until_s=AT_20_50_S))
    assert later(paused, 4_799_000) is not None and later(paused, 4_800_000) is None
    delayed = of_heartbeat(heartbeat(limited_by="installer", random_delay_s=200))
    aged = later(delayed, 80_000)
    assert aged is not None and aged.delay_s == 120
    assert later(delayed, 200_000) is None


def test_everything_in_force_is_listed_with_the_way_to_end_it() -> None:
    told = of_heartbeat(
        heartbeat(
            allowed_amps=16,
            limited_by="cloud",
            limited_until_s=AT_20_50_S,
            also_in_force=["override", "of a newer firmware"],
            random_delay_s=60,
        )
    )
    found = {wish.text: (wish.action, wish.on, wish.label) for wish in wishes(told, NOW_S * 1000, ZONE, "you")}
    assert found == {
        "Limited to 16 A by you until 20:50": ("resume", None, "End the limit"),
        "Charge now, until the vehicle is unplugged": ("override", "false", "End charge now"),
        "Random delay: 1 min 0 s, so that not all chargers switch at once": ("skip-delay", None, "Skip the delay"),
    }
    hours = of_heartbeat(heartbeat(allowed_amps=0, limited_by="schedule", also_in_force=["cloud"]))
    labels = [wish.label for wish in wishes(hours, NOW_S * 1000, ZONE, "you")]
    assert labels == ["Charge now", "End it"]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"allowed_amps": 32, "limited_by": "installer"}, "May charge at up to 32 A: the rating of its circuit"),
        (
            {"allowed_amps": 16, "limited_by": "cloud", "limited_until_s": AT_20_50_S, "also_in_force": ["override"]},
            "Limited to 16 A by you until 20:50. Charge now, until the vehicle is unplugged",
        ),
        (
            {"allowed_amps": 32, "limited_by": "installer", "random_delay_s": 200},
            "random delay of 3 min 20 s before the change takes effect. "
            "Until then: May charge at up to 32 A: the rating of its circuit",
        ),
    ],
)
def test_the_answer_to_a_command_says_what_is_in_force(told: dict[str, Any], said: str) -> None:
    result = of_result(Result(ok=True, **told))
    assert result is not None and answer(result, NOW_S * 1000, ZONE, "you") == said
