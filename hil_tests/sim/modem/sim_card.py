"""The SIM as AT commands show it: its numbers, and its list of forbidden networks (EF_FPLMN, 31.102 section 4.2.16)."""

from hil_tests.sim.modem.command import CmeError, Command, Handler, fixed
from hil_tests.sim.modem.radio import MISSING, World
from hil_tests.sim.modem.terminal import Terminal

IMSI = "901405100000017"
ICCID = "8944501012199900017F"
READ_BINARY, UPDATE_BINARY = 176, 214  # AT+CRSM, 27.007 section 8.18
EF_FPLMN = 0x6F7B
FORBIDDEN_KEPT = 4
FREE = "FFFFFF"
DONE, FILE_NOT_FOUND = "144,0", "148,4"  # status words 90 00 and 94 04


class SimCard:
    """The SIM in the modem."""

    def __init__(self, world: World, terminal: Terminal) -> None:
        self._world, self._say = world, terminal.say

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+CIMI": fixed(self._say, IMSI),
            "+CCID": fixed(self._say, ICCID),
            "+SPIC": fixed(self._say, "+SPIC: 3,10,3,10"),
            "+CSMINS": self._csmins,
            "+CRSM": self._crsm,
        }

    async def _csmins(self, command: Command) -> None:
        if command.kind == "read":
            self._say("+CSMINS: 0,1")

    async def _crsm(self, command: Command) -> None:
        """Read or write a file of the SIM. Only the list of forbidden networks is modelled."""
        if self._world.sim == MISSING:
            raise CmeError(10)
        what = command.number(0, within=range(256))
        if command.number(1, within=range(65_536)) != EF_FPLMN or what not in (READ_BINARY, UPDATE_BINARY):
            self._say(f'+CRSM: {FILE_NOT_FOUND},""')
        elif what == READ_BINARY:
            self._say(f'+CRSM: {DONE},"{_coded(self._world.forbidden)}"')
        else:
            written = command.text(5)
            self._world.forbidden = {_plmn(place) for place in _places(written) if place != FREE}
            self._say(f'+CRSM: {DONE},""')


def _coded(plmns: set[str]) -> str:
    """Encode PLMNs in three bytes each, with digits in swapped pairs: 26201 is 62F210."""
    places = [f"{plmn[1]}{plmn[0]}{plmn[5:] or 'F'}{plmn[2]}{plmn[4]}{plmn[3]}" for plmn in sorted(plmns)]
    return "".join((places + FORBIDDEN_KEPT * [FREE])[:FORBIDDEN_KEPT])


def _places(coded: str) -> list[str]:
    return [coded[at : at + 6] for at in range(0, len(coded), 6)]


def _plmn(place: str) -> str:
    mcc, mnc = place[1] + place[0] + place[3], place[5] + place[4]
    return mcc + mnc + place[2].replace("F", "")
