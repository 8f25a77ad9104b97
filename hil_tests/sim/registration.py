"""How the modem comes to a network and loses it: circuit side (+CREG) and packet side (+CGREG).

States of both, AT manual section 4.2.11: 0 not searching, 1 home, 2 searching, 3 denied, 5 roaming.
"""

import asyncio
from collections.abc import Callable

from hil_tests.sim.radio import Operator, World

NOT_SEARCHING, HOME, SEARCHING, ROAMING = 0, 1, 2, 5
AUTOMATIC, MANUAL, DEREGISTERED, MANUAL_THEN_AUTOMATIC = 0, 1, 2, 4  # AT+COPS modes

LOCATION_AREA = "01F4"
CELL = "2A3B"


class Registration:
    """Runs while the radio is on. Answers for AT+CREG, +CGREG, +CGATT and +COPS."""

    def __init__(self, world: World, urc: Callable[[str], None]) -> None:
        self._world = world
        self._urc = urc
        self._task: asyncio.Task[None] | None = None
        self.report = {"+CREG": 0, "+CGREG": 0}  # what AT+CREG=n asked for
        self.state = {"+CREG": NOT_SEARCHING, "+CGREG": NOT_SEARCHING}
        self.operator: Operator | None = None
        self.mode = AUTOMATIC
        self.wanted_plmn: str | None = None
        self.detached = False
        self.on_registered: Callable[[], None] = lambda: None

    @property
    def attached(self) -> bool:
        """Is there packet service?"""
        return self.state["+CGREG"] in (HOME, ROAMING)

    def start(self) -> None:
        """Starts looking for a network, from nothing."""
        self.stop()
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Radio off: neither registered nor searching. Nothing is said."""
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self.operator = None
        self.state = dict.fromkeys(self.state, NOT_SEARCHING)

    async def select(self, mode: int, plmn: str | None) -> bool:
        """AT+COPS=mode[,2,plmn]: true if the modem is now on the network that was asked for."""
        self.mode, self.wanted_plmn = mode, plmn
        if mode == DEREGISTERED:
            self.stop()
            await self._world.wait("detach")
            return True
        self.start()
        await self._world.wait("select")
        return plmn is None or (self.operator is not None and self.operator.plmn == plmn)

    async def detach(self) -> None:
        """AT+CGATT=0: leaves packet service, stays registered for calls."""
        self.detached = True
        await self._world.wait("detach")
        self._enter("+CGREG", NOT_SEARCHING)

    async def attach(self) -> None:
        """AT+CGATT=1."""
        self.detached = False
        await self._world.wait("attach")
        if self.operator is not None:
            self._enter("+CGREG", self._registered(self.operator))

    def line(self, name: str, solicited: bool) -> str:
        """The text of +CREG or +CGREG: the reply to a read carries the setting, a URC does not."""
        report, state = self.report[name], self.state[name]
        setting = f"{report}," if solicited else ""
        place = f',"{LOCATION_AREA}","{CELL}"' if report == 2 and state in (HOME, ROAMING) else ""
        return f"{name}: {setting}{state}{place}"

    async def _run(self) -> None:
        back_again = False
        while True:
            self._enter("+CREG", SEARCHING)
            self._enter("+CGREG", SEARCHING)
            operator = await self._found()
            await self._world.wait("reacquire" if back_again else "register")
            if not self._world.coverage:
                continue
            self.operator = operator
            self._enter("+CREG", self._registered(operator))
            self.on_registered()
            if not self.detached:
                await self._world.wait("attach")
                self._enter("+CGREG", self._registered(operator))
            await self._lost()
            back_again = True
            self.operator = None

    async def _found(self) -> Operator:
        """Waits until an operator that may be used can be heard."""
        while True:
            operator = self._choice()
            if self._world.coverage and operator is not None:
                return operator
            await self._world.change()

    def _choice(self) -> Operator | None:
        if self.wanted_plmn is None:
            return self._world.strongest()
        wanted = self._world.find(self.wanted_plmn)
        return self._world.strongest() if wanted is None and self.mode == MANUAL_THEN_AUTOMATIC else wanted

    async def _lost(self) -> None:
        """Returns when the modem has noticed that its network is gone."""
        while True:
            while self._world.coverage:
                await self._world.change()
            await self._world.wait("coverage_loss")
            if not self._world.coverage:
                return

    def _registered(self, operator: Operator) -> int:
        return ROAMING if operator.roaming else HOME

    def _enter(self, name: str, state: int) -> None:
        if self.state[name] == state:
            return
        self.state[name] = state
        if self.report[name]:
            self._urc(self.line(name, solicited=False))
