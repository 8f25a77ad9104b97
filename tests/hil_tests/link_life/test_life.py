"""Is a crash of MicroPython's unix port told apart from one that the firmware causes?"""

from hil_tests.link_life.life import Told


def told(*texts: str) -> Told:
    made = Told()
    for text in texts:
        made.alarm(text)
    return made


def test_a_crash_of_the_port_is_counted_with_its_last_words() -> None:
    seen = told("the firmware stopped with exit code -11; its last words:", "    ready", "it is started again")
    assert (seen.port_crashes, seen.alarms) == (1, [])


def test_any_other_stop_is_an_alarm_also_after_one() -> None:
    texts = ("the firmware stopped with exit code 1; its last words:", "    MemoryError:", "it is started again")
    seen = told("the firmware stopped with exit code -11; its last words:", "it is started again", *texts)
    assert (seen.port_crashes, seen.alarms) == (1, list(texts))
