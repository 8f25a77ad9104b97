"""Does the service console answer every command that it lists, and refuse what it cannot parse?"""

import sys

from firmware import console
from firmware.charge_point import ChargePoint
from firmware.console import COMMANDS, LINE_MAX, ROOM, Console
from firmware.lazy_import import LazyImport


class Port:
    def __init__(self):
        self.typed = self.said = b""

    def read(self):
        typed, self.typed = self.typed, b""
        return typed

    def write(self, data):
        assert len(data) <= LINE_MAX, "needs memory in one large piece"
        self.said += data


class Unit(ChargePoint):
    pass


def said(typed):
    port = Port()
    port.typed = typed
    Console(port, Unit()).poll()
    return port.said.decode().split("\r\n")[:-1]


def test_every_command_has_its_answer_and_its_help():
    with LazyImport():
        from firmware.service import help as helping

        listed = sorted(helping.COMMANDS)
    assert listed == sorted(name for names in COMMANDS.values() for name in names)
    for names in COMMANDS.values():
        for name in names:
            with LazyImport():
                assert console._answerer(name), name


def test_help_lists_them_and_its_module_is_forgotten():
    lines = said(b"help\n")
    assert "status the state of the unit" in lines and lines[-1] == "ok"
    assert ROOM + "help" not in sys.modules


def test_settings_that_the_flash_does_not_take_are_refused_in_words():
    class Worn(Unit):
        settings = None

        def check(self, wanted):
            pass

        def __getitem__(self, name):
            return "known"

        def change(self, wanted):
            raise OSError(28)

    unit = Worn()
    unit.journal = None
    unit.installer_lock = unit.settings = unit
    port = Port()
    port.typed = b'provision {"apn": "other"}\n'
    Console(port, unit).poll()
    assert port.said == b"error flash write failed\r\n"


def test_what_is_no_command_is_refused_in_words():
    assert said(b"open sesame\n") == ["error no command open; try help"]
    assert said(b"\xff\n") == ["error the line is not text"]
    assert said(b"_answerer\n") == ["error no command _answerer; try help"]


def test_a_line_that_is_too_long_is_thrown_away_whole():
    assert said(b"x" * 3000 + b"\nhelp\n")[0] == (
        "error the line is longer than %d bytes; longer commands go in pieces" % LINE_MAX
    )


def test_an_answer_that_polls_again_is_not_disturbed():
    port = Port()
    talking = Console(port, Unit())
    port.typed = b"help\n"
    port.write = lambda data: talking.poll()
    talking.poll()
    assert console.ROOM + "help" not in sys.modules
