"""What does the whole unit do at its start, part by part?"""

from firmware.app import Unit


class Part:
    """Any part of the unit."""

    def collect(self):
        pass

    def poll(self):
        pass


class Starting(Unit):
    """Only the communication thread, with parts that do nothing."""

    def __init__(self):
        self.pauses, self.health = (), Part()
        self.console, self.served = Part(), []
        self._start_talking()

    def _part(self, name, _make):
        self.served.append(self.console.poll in self.pauses)
        return self.console if name == "console" else Part()


def test_the_console_answers_when_all_parts_are_there():
    """An installer's laptop sends commands as soon as it sees the port: `authority` once found no lock, and reported an
    internal error."""
    unit = Starting()
    assert len(unit.served) == 5 and not any(unit.served)
    assert unit.pauses[-1] == unit.console.poll
