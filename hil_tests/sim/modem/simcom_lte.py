"""The commands of SIM7500, SIM7600, A76xx and SIM7080 besides TCP: system information, extended signal, clock, power.

SIM7500_SIM7600 Series AT Command Manual V3.00, A76XX Series AT Command Manual V1.09, SIM7070_SIM7080_SIM7090 Series AT
Command Manual V1.05.
"""

from hil_tests.sim.modem import signal
from hil_tests.sim.modem.command import Command, Final, Handler, fixed
from hil_tests.sim.modem.device import BATTERY_MV, Device
from hil_tests.sim.modem.radio import GSM, Operator
from hil_tests.sim.modem.registration import CELL, LOCATION_AREA, Registration
from hil_tests.sim.modem.sim_card import ICCID
from hil_tests.sim.modem.terminal import Terminal

BAND, EARFCN, BANDWIDTH, PHYSICAL_CELL = "EUTRAN-BAND20", 6300, 3, 46


class SimcomLtem:
    """One SIM7080, from power-on to power-off."""

    # Of an LTE cell: its name, and the number of steps per dB of RSRQ, RSRP and RSSI.
    _system_mode, _per_db = "LTE CAT-M1", 1

    def __init__(self, registration: Registration, terminal: Terminal) -> None:
        self._registration, self._world = registration, registration.world
        self._terminal = terminal

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return {"+CPSI": self._cpsi}

    async def _cpsi(self, command: Command) -> None:
        if command.kind == "read":
            self._terminal.say(f"+CPSI: {self._system()}")

    def _system(self) -> str:
        operator = self._registration.heard_operator()
        if operator is None:
            return "NO SERVICE,Online"
        plmn, csq = f"{operator.plmn[:3]}-{operator.plmn[3:]}", self._world.csq(operator.plmn)
        cell = int(CELL, 16)
        if operator.act == GSM:
            return f"GSM,Online,{plmn},0x{LOCATION_AREA},{cell},81 EGSM 900,{signal.rssi_dbm(csq)},0,44-44"
        strengths = (signal.RSRQ_DB, signal.rsrp_dbm(csq), signal.rssi_dbm(csq))
        figures = (*(self._per_db * strength for strength in strengths), signal.sinr_db(csq))
        place = f"0x{LOCATION_AREA},{cell},{PHYSICAL_CELL},{BAND},{EARFCN},{BANDWIDTH},{BANDWIDTH}"
        return f"{self._system_mode},Online,{plmn},{place},{','.join(map(str, figures))}"


class SimcomLte(SimcomLtem):
    """One SIM7500, SIM7600 or A76xx, from power-on to power-off."""

    _system_mode, _per_db = "LTE", 10  # tenths: captured from SIM7600 and SIM7500; unverified for A76xx

    def __init__(self, registration: Registration, terminal: Terminal, device: Device) -> None:
        super().__init__(registration, terminal)
        self._device = device

    def handlers(self) -> dict[str, Handler]:
        """Return the commands of this part, by name."""
        return super().handlers() | {
            "+CESQ": self._cesq,
            "+CTZU": self._device.automatic_time,
            "+CPOF": self._cpof,
            "+CRESET": self._creset,
            "+CBC": self._cbc,
            "+CICCID": fixed(self._terminal.say, f"+ICCID: {ICCID}"),
        }

    async def _cesq(self, _command: Command) -> None:
        """27.007 section 8.69: report rxlev, ber, rscp, ecno, rsrq, rsrp; 99 or 255 means not applicable."""
        self._terminal.say(f"+CESQ: {self._extended(self._registration.heard_operator())}")

    def _extended(self, operator: Operator | None) -> str:
        if operator is None:
            return "99,99,255,255,255,255"
        csq = self._world.csq(operator.plmn)
        if operator.act == GSM:
            return f"{max(0, 2 * csq - 3)},0,255,255,255,255"
        rsrq, rsrp = 2 * (signal.RSRQ_DB + 20), max(0, min(97, signal.rsrp_dbm(csq) + 141))
        return f"99,99,255,255,{rsrq},{rsrp}"

    async def _cpof(self, _command: Command) -> Final:
        self._terminal.say("OK")
        await self._world.wait("power_down")
        self._device.power_off()
        return Final(None)

    async def _creset(self, _command: Command) -> Final:
        self._device.restart()  # sends OK
        return Final(None)

    async def _cbc(self, _command: Command) -> None:
        self._terminal.say(f"+CBC: {BATTERY_MV / 1000:.3f}V")
