"""How the modem registers with a network and loses it: circuit side (+CREG) and packet side (+CGREG).

States of both, AT manual section 4.2.11: 0 not searching, 1 home, 2 searching, 3 denied, 5 roaming.

A network that refuses the SIM permanently is added to the SIM's forbidden list, and an automatic selection tries the
next one. If a network that was selected manually refuses the SIM, the modem stays denied. A network that begins to
refuse the SIM during service detaches it at once (24.008, 4.7.4.2), which also ends the data service.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.modem.radio import FORBIDDING_CAUSES, Operator, World

NOT_SEARCHING, HOME, SEARCHING, DENIED, ROAMING = 0, 1, 2, 3, 5
AUTOMATIC, MANUAL, DEREGISTERED, MANUAL_THEN_AUTOMATIC = 0, 1, 2, 4  # AT+COPS modes

LOCATION_AREA = "01F4"
CELL = "2A3B"


class Registration:
    """The registration while the radio is on. Answers AT+CREG, +CGREG, +CGATT and +COPS."""

    def __init__(self, world: World, urc: Callable[[str], None]) -> None:
        self.world = world
        self._urc = urc
        self._task: asyncio.Task[None] | None = None
        self.report = {"+CREG": 0, "+CGREG": 0, "+CEREG": 0}  # the setting of AT+CREG=n and its relatives
        self.state = dict.fromkeys(self.report, NOT_SEARCHING)
        self.operator: Operator | None = None
        self.mode = AUTOMATIC
        self.wanted_plmn: str | None = None
        self.detached = False
        self.on_registered: Callable[[], None] = lambda: None
        self.on_detached: Callable[[], None] = lambda: None  # called when the network detaches the SIM

    @property
    def attached(self) -> bool:
        """Whether there is packet service."""
        return self.state["+CGREG"] in (HOME, ROAMING)

    def heard_operator(self) -> Operator | None:
        """Return the operator that the modem is registered with, if it can be received now."""
        return self.operator if self._is_heard() else None

    def start(self) -> None:
        """Start to search for a network, from nothing."""
        self.stop()
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Switch the radio off: neither registered nor searching. No URC is sent."""
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self.operator = None
        self.state = dict.fromkeys(self.state, NOT_SEARCHING)

    async def select(self, mode: int, plmn: str | None) -> bool:
        """AT+COPS=mode[,2,plmn]: return whether the modem is now on the requested network."""
        self.mode, self.wanted_plmn = mode, plmn
        if mode == DEREGISTERED:
            self.stop()
            await self.world.wait("detach")
            return True
        if plmn is not None:
            self.world.forbidden.discard(plmn)  # selected manually, it gets another chance
        self.start()
        await self.world.wait("select")
        return plmn is None or (self.operator is not None and self.operator.plmn == plmn)

    async def detach(self) -> None:
        """AT+CGATT=0: leave packet service, and stay registered for calls."""
        self.detached = True
        await self.world.wait("detach")
        self._enter_packet(NOT_SEARCHING)

    async def attach(self) -> None:
        """AT+CGATT=1: attach to packet service."""
        self.detached = False
        await self.world.wait("attach")
        if self.operator is not None:
            self._enter_packet(self._registered(self.operator))

    def line(self, name: str, solicited: bool) -> str:
        """Return the text of +CREG or its relatives. The answer to a read includes the setting; a URC does not."""
        report, state = self.report[name], self.state[name]
        setting = f"{report}," if solicited else ""
        place = f',"{LOCATION_AREA}","{CELL}"' if report == 2 and state in (HOME, ROAMING) else ""
        if place and name == "+CEREG" and self.operator is not None:
            place += f",{self.operator.act}"  # 27.007 section 10.1.22
        return f"{name}: {setting}{state}{place}"

    async def _run(self) -> None:
        back_again = False
        while True:
            self._enter("+CREG", SEARCHING)
            self._enter_packet(SEARCHING)
            operator = await self._found()
            await self.world.wait("reacquire" if back_again else "register")
            if self.world.find(operator.plmn) is None:
                continue
            if (cause := self.world.reject_cause(operator.plmn)) is not None:
                await self._refused(operator, cause)
                continue
            self.operator = operator
            self._enter("+CREG", self._registered(operator))
            self.on_registered()
            if not self.detached:
                await self.world.wait("attach")
                self._enter_packet(self._registered(operator))
            await self._lost()
            back_again = True
            self.operator = None

    async def _found(self) -> Operator:
        """Wait until an operator that may be used can be received."""
        while True:
            operator = self._choice()
            if operator is not None:
                return operator
            await self.world.change()

    def _choice(self) -> Operator | None:
        if self.wanted_plmn is None:
            return self.world.strongest()
        wanted = self.world.find(self.wanted_plmn)
        return self.world.strongest() if wanted is None and self.mode == MANUAL_THEN_AUTOMATIC else wanted

    async def _lost(self) -> None:
        """Return when the network has detached the SIM, or the modem has noticed that the network is gone."""
        while True:
            while self._is_heard():
                if self.operator is not None and self.world.reject_cause(self.operator.plmn) is not None:
                    self.on_detached()
                    return
                await self.world.change()
            await self.world.wait("coverage_loss")
            if not self._is_heard():
                return

    def _is_heard(self) -> bool:
        return self.operator is not None and self.world.find(self.operator.plmn) is not None

    async def _refused(self, operator: Operator, cause: int) -> None:
        """Become denied. Return at once if the modem may try the next network; otherwise wait for a change."""
        self._enter("+CREG", DENIED)
        self._enter_packet(DENIED)
        if cause in FORBIDDING_CAUSES:
            self.world.forbidden.add(operator.plmn)
        if self.wanted_plmn is None and self.world.strongest() not in (None, operator):
            return
        if self.mode == MANUAL_THEN_AUTOMATIC:
            self.wanted_plmn = None
            return
        await self.world.change()

    def _registered(self, operator: Operator) -> int:
        return ROAMING if operator.roaming else HOME

    def _enter_packet(self, state: int) -> None:
        """Enter a state of the packet side: +CGREG, and +CEREG of modems with LTE."""
        self._enter("+CGREG", state)
        self._enter("+CEREG", state)

    def _enter(self, name: str, state: int) -> None:
        if self.state[name] == state:
            return
        self.state[name] = state
        if self.report[name]:
            self._urc(self.line(name, solicited=False))
