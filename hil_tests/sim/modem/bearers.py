"""Bearer profiles (AT+SAPBR) and PDP contexts (+CGDCONT, +CGACT, +CGPADDR), besides the context of AT+CIPxxx commands.

SIM800 Series AT Command Manual V1.12, chapter 9 and section 7.2. HTTP and FTP, which use the profiles, are not
modelled.
"""

from hil_tests.sim.modem.command import AtError, CmeError, Command, Handler
from hil_tests.sim.modem.radio import World
from hil_tests.sim.modem.registration import Registration
from hil_tests.sim.modem.terminal import Terminal

PROFILES = range(1, 4)
CONTEXTS = range(1, 11)
CONNECTED, CLOSED = 1, 3  # <Status>
TAGS = ("CONTYPE", "APN", "USER", "PWD", "PHONENUM", "RATE")
DEFAULTS = {"CONTYPE": "GPRS", "RATE": "2"}
CLOSE, OPEN, QUERY, SET, GET = range(5)  # <cmd_type>
NO_ADDRESS = "0.0.0.0"


class Bearers:
    """The bearers and contexts of one power-on. Several can be open at the same time, each with its own address."""

    def __init__(self, world: World, registration: Registration, terminal: Terminal) -> None:
        self._world, self._registration, self._terminal = world, registration, terminal
        self._profiles = {profile: dict.fromkeys(TAGS, "") | DEFAULTS for profile in PROFILES}
        self._open: set[int] = set()
        self._contexts: dict[int, tuple[str, str]] = {}
        self._active: set[int] = set()

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+SAPBR": self._sapbr,
            "+CGDCONT": self._cgdcont,
            "+CGACT": self._cgact,
            "+CGPADDR": self._cgpaddr,
        }

    def context_lost(self) -> None:
        """Close everything: the network has ended it."""
        for profile in sorted(self._open):
            self._terminal.say(f"+SAPBR {profile}: DEACT")
        self._open.clear()
        self._active.clear()

    async def _sapbr(self, command: Command) -> None:
        if command.kind == "test":
            self._terminal.say('+SAPBR: (0-4),(1-3),"ConParamTag","ConParamValue"')
            return
        if command.kind != "write":
            raise AtError(command.kind)
        what, profile = command.number(0, within=range(5)), command.number(1, within=range(1, 4))
        if what == OPEN:
            await self._open_profile(profile)
        elif what == CLOSE:
            if profile not in self._open:
                raise CmeError(3)
            await self._world.wait("shut")
            self._open.discard(profile)
        elif what == QUERY:
            status, address = (CONNECTED, _address(profile)) if profile in self._open else (CLOSED, NO_ADDRESS)
            self._terminal.say(f'+SAPBR: {profile},{status},"{address}"')
        elif what == SET:
            self._set(profile, command.text(2).upper(), command.text(3))
        else:
            self._terminal.say("+SAPBR:")
            for tag, value in self._profiles[profile].items():
                self._terminal.say(f"{tag}: {value}")

    async def _open_profile(self, profile: int) -> None:
        if profile in self._open or self._profiles[profile]["CONTYPE"] != "GPRS":
            raise CmeError(3)
        await self._activate()
        self._open.add(profile)

    def _set(self, profile: int, tag: str, value: str) -> None:
        if tag not in TAGS or len(value) > 64 or (tag == "CONTYPE" and value.upper() not in ("GPRS", "CSD")):
            raise CmeError(50)
        if profile in self._open:
            raise CmeError(3)
        self._profiles[profile][tag] = value.upper() if tag == "CONTYPE" else value

    async def _activate(self) -> None:
        """Activate a context. Attach first if AT+CGATT=0 was given before (27.007 section 10.1.10)."""
        if self._registration.detached:
            await self._registration.attach()
        await self._world.wait("pdp_activate")
        operator = self._registration.operator
        if not (self._registration.attached and operator and self._world.gives_context(operator.plmn)):
            raise CmeError(148)

    async def _cgdcont(self, command: Command) -> None:
        if command.kind == "test":
            self._terminal.say('+CGDCONT: (1-10),"IP",,,(0-2),(0-4)')
        elif command.kind == "read":
            for number, (kind, apn) in sorted(self._contexts.items()):
                self._terminal.say(f'+CGDCONT: {number},"{kind}","{apn}","{NO_ADDRESS}",0,0')
        else:
            number = command.number(0, within=CONTEXTS)
            if number in self._active:
                raise CmeError(3)
            if len(command.arguments) == 1:
                self._contexts.pop(number, None)
                return
            if command.text(1).upper() != "IP":
                raise CmeError(50)
            self._contexts[number] = ("IP", command.text(2))

    async def _cgact(self, command: Command) -> None:
        if command.kind == "test":
            self._terminal.say("+CGACT: (0,1)")
        elif command.kind == "read":
            for number in sorted(self._contexts):
                self._terminal.say(f"+CGACT: {number},{int(number in self._active)}")
        else:
            wanted = command.number(0, within=range(2))
            places = range(1, len(command.arguments))
            numbers = [command.number(place, within=CONTEXTS) for place in places] or sorted(self._contexts)
            for number in numbers:
                if number not in self._contexts:
                    raise CmeError(50)
                if wanted and number not in self._active:
                    await self._activate()
                    self._active.add(number)
                elif not wanted:
                    self._active.discard(number)

    async def _cgpaddr(self, command: Command) -> None:
        if command.kind == "test":
            self._terminal.say("+CGPADDR: (1-10)")
            return
        for number in [command.number(0, within=CONTEXTS)] if command.arguments else sorted(self._contexts):
            address = _address(number + len(PROFILES)) if number in self._active else NO_ADDRESS
            self._terminal.say(f'+CGPADDR: {number},"{address}"')


def _address(number: int) -> str:
    return f"10.64.1.{number}"
