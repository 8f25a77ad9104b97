"""Units that are shown to an OCPP back-end of somebody else: one connection for each, made by the process that leads
(store/leadership.py), so that there is only one whatever the number of processes. The connections end when another
process begins to lead.

What a back-end says reaches the unit as an order at most. It never counts as contact with the unit: pages, alerts and
evidence do not depend on anything here.
"""

import asyncio
import ssl
import time
from functools import cache

from cloud_bridge import commands
from cloud_bridge.app_state import AppState
from cloud_bridge.contact import judge
from cloud_bridge.durations import DAY_MS
from cloud_bridge.duties import Duties
from cloud_bridge.northbound.address import host_of
from cloud_bridge.northbound.known import Known, Names
from cloud_bridge.northbound.link import Link, Means
from cloud_bridge.northbound.reporter import Progress
from cloud_bridge.northbound.requests import Order
from cloud_bridge.store.commands import CommandStatus, find_command
from cloud_bridge.store.idle_vehicles import owners_power
from cloud_bridge.store.northbound import (
    LinkState,
    Setting,
    ShownUnit,
    Stored,
    all_disconnected,
    newest_end_ms,
    record_links,
    record_progress,
    shown_units,
)
from cloud_bridge.store.ownership import Period
from cloud_bridge.store.security_events import Kind
from cloud_bridge.support.running_session import PowerReading, power_readings, running_session

LOOK_EVERY_S = 2.0
ANSWER_WITHIN_S = 25.0  # for the unit; back-ends wait half a minute
ASK_EVERY_S = 0.5
ANSWERED_EVERY_MS = 60_000  # how often the time of a back-end's last answer is stored
READINGS_MS = 2 * DAY_MS  # how long readings are kept


class Links:
    """The links of this process."""

    def __init__(self, app_state: AppState) -> None:
        self._app_state = app_state
        self._links: dict[Setting, tuple[Link, asyncio.Task[None]]] = {}
        self._recorded: dict[Setting, LinkState] = {}
        self._begun = False  # whether the connection states that the previous process stored have been cleared
        self._means = Means(
            app_state.clock, app_state.counters, cache(ssl.create_default_context), self._give, self._save
        )

    async def run(self, duties: Duties) -> None:
        """Run for ever."""
        self._begun = False
        try:
            await duties.every(LOOK_EVERY_S, "northbound", self.look)
        finally:
            await self._end(list(self._links))

    async def look(self) -> None:
        """Start the links that are set, end those that no longer are, and give each what is known. Raises
        SQLAlchemyError."""
        if not self._begun:
            await asyncio.to_thread(self._begin_anew)
            self._begun = True
        shown = await asyncio.to_thread(self._read)
        settings = {one.setting for one in shown}
        await self._end([one for one in self._links if one not in settings])
        failed: list[asyncio.Task[None]] = []
        for one in shown:
            link, task = self._links.get(one.setting) or self._begin(one)
            if task.done():
                failed.append(task)
                del self._links[one.setting]
                continue
            known = self._known(one)
            if link.reporter.wants_beginning(known):
                link.begin(*await asyncio.to_thread(self._began, one, known))
            link.observe(known, one.sessions)
            await link.save()
        await self._record()
        for task in failed:  # by an error of the store or a bug of ours: it is started again at the next look
            task.result()

    def _begin_anew(self) -> None:
        with self._app_state.database.writing() as connection:
            all_disconnected(connection)

    def _read(self) -> list[ShownUnit]:
        with self._app_state.database.reading() as connection:
            return shown_units(connection)

    def _begin(self, one: ShownUnit) -> tuple[Link, asyncio.Task[None]]:
        link = Link(one.setting, Progress(*one.stored), self._means)
        self._links[one.setting] = link, asyncio.ensure_future(link.run())
        return self._links[one.setting]

    async def _end(self, settings: list[Setting]) -> None:
        ended = [self._links.pop(one)[1] for one in settings]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        for one in settings:
            self._recorded.pop(one, None)

    def _known(self, one: ShownUnit) -> Known:
        now_ms = self._app_state.clock.now_ms()
        last = self._app_state.live.last_contact(one.setting.unit_id, one.contact, self._app_state.ledger, now_ms)
        return Known(
            Names(one.setting.unit_id, one.board, one.firmware, one.is_ocpp),
            judge(last, now_ms, one.silent_after_ms).contact,
            None if last is None else last.at_ms,
            one.heartbeat,
            one.heartbeat_ms,
        )

    def _began(self, one: ShownUnit, known: Known) -> tuple[int, int]:
        """When the session in progress began, by the unit's clock, and the meter then, as far back as heartbeats are
        kept."""
        unit_id, now_ms = one.setting.unit_id, self._app_state.clock.now_ms()
        with self._app_state.database.reading() as connection:
            rows = owners_power(connection, unit_id, now_ms - READINGS_MS, now_ms)
            readings = [one for one in power_readings(rows) if _is_readable(one)]
            running = running_session(readings, newest_end_ms(connection, unit_id))
        heartbeat_ms, unit_time_ms = known.heartbeat_ms or now_ms, known.unit_time_ms or now_ms
        if running is None:
            return unit_time_ms, known.heartbeat.total_wh or 0
        meter_wh = (running.newest.total_wh or 0) - (running.energy_wh or 0)
        return running.from_ms + unit_time_ms - heartbeat_ms, max(0, meter_wh)

    async def _record(self) -> None:
        new = {setting: link.state for setting, (link, _) in self._links.items() if self._is_news(setting, link.state)}
        if new:
            await asyncio.to_thread(self._write, list(new.items()))
            self._recorded |= new

    def _is_news(self, setting: Setting, state: LinkState) -> bool:
        before = self._recorded.get(setting, LinkState())
        if before._replace(answered_ms=None) != state._replace(answered_ms=None):
            return True
        return (state.answered_ms or 0) - (before.answered_ms or 0) >= ANSWERED_EVERY_MS

    def _write(self, states: list[tuple[Setting, LinkState]]) -> None:
        with self._app_state.database.writing() as connection:
            record_links(connection, states)

    async def _save(self, setting: Setting, progress: Progress) -> None:
        def save() -> None:
            with self._app_state.database.writing() as connection:
                record_progress(connection, setting, Stored(*progress))

        await asyncio.to_thread(save)

    async def _give(self, setting: Setting, order: Order) -> CommandStatus:
        """Send an order the way all orders are sent. Returns what the unit has answered, or WAITING."""
        app_state, unit_id = self._app_state, setting.unit_id
        app_state.security_log.note(Kind.COMMAND, host_of(setting.url), None, f"{order.do} to {unit_id}")
        command_id = await asyncio.to_thread(
            commands.give, app_state, unit_id, None, order.do, order.arguments, order.holds_ms
        )
        give_up_s = time.monotonic() + ANSWER_WITHIN_S
        while True:
            status = await asyncio.to_thread(self._status, unit_id, command_id)
            if status is not CommandStatus.WAITING or time.monotonic() > give_up_s:
                return status
            await asyncio.sleep(ASK_EVERY_S)

    def _status(self, unit_id: str, command_id: str) -> CommandStatus:
        with self._app_state.database.reading() as connection:
            found = find_command(connection, Period(unit_id, 0, 0), command_id, self._app_state.clock.now_ms())
        return CommandStatus.NOT_SENT if found is None else found.status


def _is_readable(one: PowerReading) -> bool:
    """Whether the stored values can be used: SQLite accepts values of any type."""
    told = (one.at_ms, one.watts, 0 if one.total_wh is None else one.total_wh)
    return all(type(number) is int for number in told)
