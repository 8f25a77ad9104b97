"""Does the guided story only continue when its condition is seen?"""

from hil_tests.rig.panel.story import SILENT_MINUTES, STEPS, Seen, Story

BEFORE = Seen(charging=False, network=True, mains=True, proven=True, skipped_minutes=0)
CHARGING = BEFORE._replace(charging=True)
CUT_OFF = CHARGING._replace(network=False, proven=False)
SILENT = CUT_OFF._replace(skipped_minutes=SILENT_MINUTES)
OFF = SILENT._replace(charging=False, mains=False, network=True)
STARTING = OFF._replace(mains=True)
BACK = STARTING._replace(charging=True, proven=True)


def test_each_step_waits_for_what_it_is_about() -> None:
    """In the order of the mission, and twice the same is no progress?"""
    story = Story()
    for step, seen in enumerate((BEFORE, CHARGING, CUT_OFF, SILENT, OFF, BACK)):
        assert [story.look(seen) for _ in range(2)] == [step, step], seen
    assert story.look(BACK) == len(STEPS)


def test_a_unit_that_does_not_charge_without_a_network_is_no_progress() -> None:
    story = Story()
    story.look(BEFORE)
    assert story.look(CHARGING) == 1
    assert story.look(CUT_OFF._replace(charging=False)) == 1


def test_it_is_not_back_before_a_message_was_acknowledged() -> None:
    story = Story()
    for seen in (BEFORE, CHARGING, CUT_OFF, SILENT, OFF):
        story.look(seen)
    assert story.look(STARTING) == 4
    assert story.look(STARTING._replace(charging=True)) == 4
    assert story.look(BACK) == 5


def test_time_skipped_before_does_not_count() -> None:
    """In a story told for the second time?"""
    story = Story()
    for seen in (BEFORE, CHARGING, CUT_OFF, SILENT, OFF, BACK):
        story.look(seen)
    story.restart()
    later = CUT_OFF._replace(skipped_minutes=SILENT_MINUTES)
    assert [story.look(later) for _ in range(4)] == [1, 2, 2, 2]
    assert story.look(later._replace(skipped_minutes=2 * SILENT_MINUTES)) == 3
