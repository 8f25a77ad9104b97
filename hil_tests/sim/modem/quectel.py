"""The commands of Quectel's modems besides TCP: signal by technology, network, clock, power, settings.

EC25&EC21 AT Commands Manual V1.3, BG95&BG77 AT Commands Manual V2.0, M95 AT Commands Manual V3.2.
"""

from hil_tests.sim.modem import signal
from hil_tests.sim.modem.command import Command, Final, Handler, fixed
from hil_tests.sim.modem.device import Device
from hil_tests.sim.modem.radio import GSM, NB_IOT, Operator
from hil_tests.sim.modem.registration import CELL, LOCATION_AREA, Registration
from hil_tests.sim.modem.sim_card import ICCID
from hil_tests.sim.modem.terminal import Terminal

BAND, EARFCN = "LTE BAND 20", 6300
GSM_BAND, ARFCN = "GSM 900", 81
NEIGHBOURS = 6  # AT+QENG


class Quectel:
    """One LTE modem from power-on to power-off. `lte_name` and `lte_access` name the technology in +QCSQ and +QNWINFO."""

    def __init__(
        self, registration: Registration, terminal: Terminal, device: Device, lte_name: str, lte_access: str
    ) -> None:
        self._registration, self._world = registration, registration.world
        self._terminal, self._device = terminal, device
        self._lte_name, self._lte_access = lte_name, lte_access

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return dict.fromkeys(("+QCFG", "+QURCCFG", "+QSCLK", "+QINDCFG"), _accepted) | {
            "+QCSQ": self._qcsq,
            "+QNWINFO": self._qnwinfo,
            "+CTZU": self._device.automatic_time,
            "+QPOWD": self._qpowd,
            "+QCCID": fixed(self._terminal.say, f"+QCCID: {ICCID}"),
            "+QPINC": self._qpinc,
        }

    async def _qcsq(self, _command: Command) -> None:
        """Report RSSI, RSRP, SINR in steps of 0.2 dB from -20 dB, and RSRQ."""
        operator = self._registration.heard_operator()
        self._terminal.say(f"+QCSQ: {self._by_technology(operator)}")

    def _by_technology(self, operator: Operator | None) -> str:
        if operator is None:
            return '"NOSERVICE"'
        csq = self._world.csq(operator.plmn)
        if operator.act == GSM:
            return f'"GSM",{signal.rssi_dbm(csq)}'
        name = "NBIoT" if operator.act == NB_IOT else self._lte_name
        sinr = 5 * (signal.sinr_db(csq) + 20)
        return f'"{name}",{signal.rssi_dbm(csq)},{signal.rsrp_dbm(csq)},{sinr},{signal.RSRQ_DB}'

    async def _qnwinfo(self, _command: Command) -> None:
        operator = self._registration.heard_operator()
        if operator is None:
            self._terminal.say("+QNWINFO: No Service")
            return
        access, band, channel = self._lte_access, BAND, EARFCN
        if operator.act == GSM:
            access, band, channel = "EDGE", GSM_BAND, ARFCN
        elif operator.act == NB_IOT:
            access = "NBIoT"
        self._terminal.say(f'+QNWINFO: "{access}","{operator.plmn}","{band}",{channel}')

    async def _qpinc(self, command: Command) -> None:
        """Report the remaining attempts for PIN and PUK."""
        for lock in ("SC", "P2") if command.kind == "read" else (command.text(0),):
            self._terminal.say(f'+QPINC: "{lock}",3,10')

    async def _qpowd(self, command: Command) -> Final:
        """Switch off: OK at once, POWERED DOWN when the modem has left the network. AT+QPOWD=0 does not wait for the
        network."""
        orderly = command.number(0, 1, within=range(2))
        self._terminal.say("OK")
        if orderly:
            await self._world.wait("power_down")
        self._terminal.say("POWERED DOWN")
        self._device.power_off()
        return Final(None)


class Quectel2G:
    """One M95, from power-on to power-off."""

    def __init__(self, registration: Registration, terminal: Terminal, device: Device) -> None:
        self._registration, self._terminal, self._device = registration, terminal, device
        self._engineering = False  # AT+QENG

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {
            "+CTZU": self._device.automatic_time,
            "+QSCLK": _accepted,
            "+QPOWD": self._qpowd,
            "+QENG": self._qeng,
            "+QCCID": fixed(self._terminal.say, ICCID),  # unverified: without the name, like +CCID of SIM800
        }

    async def _qeng(self, command: Command) -> None:
        """Report the serving cell and its neighbours, which are cells of the same operator.

        The form is that of a capture in public code: +QENG: 1,1,8,-71,32,134,134,404,20,3a9a,142a,2,12,-77,...
        Unverified: URCs of mode 2 and other kinds of dumps are not modelled.
        """
        if command.kind != "read":
            self._engineering = bool(command.number(0, within=range(3)))
            return
        self._terminal.say(f"+QENG: {int(self._engineering)},1")
        operator = self._registration.heard_operator()
        if not self._engineering or operator is None:
            return
        plmn, area = f"{operator.plmn[:3]},{operator.plmn[3:]}", LOCATION_AREA.lower()
        dbm = signal.rssi_dbm(self._registration.world.csq(operator.plmn))
        self._terminal.say(f"+QENG: 0,{plmn},{area},{CELL.lower()},{ARFCN},63,{dbm},147,147,5,5,x,x,x,x,x,x,x")
        neighbours = [
            f"{place},{ARFCN + 4 * place},{signal.rssi_dbm(csq)},{30 + place},134,134,{plmn},{area},{0x2A40 + place:x}"
            for place, csq in enumerate(operator.cells, 1)
        ]
        unknown = [",".join((str(place), *9 * ("x",))) for place in range(len(neighbours) + 1, NEIGHBOURS + 1)]
        self._terminal.say(f"+QENG: 1,{','.join(neighbours[:NEIGHBOURS] + unknown)}")

    async def _qpowd(self, command: Command) -> Final:
        """Switch off: NORMAL POWER DOWN without OK before it. AT+QPOWD=0 switches off at once."""
        if command.number(0, 1, within=range(2)):
            await self._device.world.wait("power_down")
            self._terminal.say("NORMAL POWER DOWN")
        self._device.power_off()
        return Final(None)


async def _accepted(_command: Command) -> None:
    """Accept a command that is not modelled and has no visible effect here."""
