"""The link between a unit and its back-end for as long as the unit is shown there: one connection after the other."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.ingest.ocpp.frames import ErrorCode, Reply
from cloud_bridge.northbound.address import host_of
from cloud_bridge.northbound.connection import Conversation, Duplex, LinkEnded, opened
from cloud_bridge.northbound.known import Known
from cloud_bridge.northbound.link_errors import Refusal
from cloud_bridge.northbound.pace import Pace, wait_s
from cloud_bridge.northbound.reporter import Due, Progress, Reporter
from cloud_bridge.northbound.requests import Asked, Order, Payload, Reaction, Said, react
from cloud_bridge.northbound.transactions import Ended
from cloud_bridge.store.commands import CommandStatus
from cloud_bridge.store.northbound import LinkState, Setting

ORDERS, ORDERS_WITHIN_S = 60, 3600.0  # each costs the unit mobile data

_log = logging.getLogger(__name__)


class Means(NamedTuple):
    """What a link needs of the bridge."""

    clock: Clock
    counters: Counters
    trusted: Callable[[], ssl.SSLContext]  # the authorities of the system
    give: Callable[[Setting, Order], Awaitable[CommandStatus]]  # returns WAITING if the unit has not answered
    save: Callable[[Setting, Progress], Awaitable[None]]  # raises SQLAlchemyError


class Link:
    """The link of one unit. `run` is a task; the other methods are called on the same event loop."""

    def __init__(self, setting: Setting, progress: Progress, means: Means) -> None:
        self.setting = setting
        self.reporter = Reporter(progress, setting.id_tag)
        self.state = LinkState()
        self._means = means
        self._saved = progress
        self._saving = asyncio.Lock()
        self._known: Known | None = None
        self._sessions: tuple[Ended, ...] = ()
        self._news = asyncio.Event()
        self._orders = Pace(ORDERS, ORDERS_WITHIN_S)
        self._host = host_of(setting.url)

    def observe(self, known: Known, sessions: tuple[Ended, ...]) -> None:
        """Take over what the bridge knows now."""
        if (known, sessions) != (self._known, self._sessions):
            self._known, self._sessions = known, sessions
            self._news.set()

    def begin(self, began_ms: int, meter_wh: int) -> None:
        """Note that a session has been in progress since `began_ms`, when the meter read `meter_wh`."""
        self.reporter.begin(began_ms, meter_wh)
        self._news.set()

    async def save(self) -> None:
        """Store how far the back-end has been informed. Raises SQLAlchemyError."""
        async with self._saving:
            progress = self.reporter.progress
            if progress != self._saved:
                await self._means.save(self.setting, progress)
                self._saved = progress

    async def run(self) -> None:
        """Run for ever: keep a connection while the unit is not away, with a growing pause after each that failed."""
        failures = 0
        while True:
            while self._known is None or self._known.is_away:
                self._news.clear()
                await self._news.wait()
            try:
                await self._converse()
                failures = 0
            except LinkEnded as ended:
                self._means.counters.northbound_failures += 1
                self._refused(ended.refusal)
                failures = 0 if self.reporter.is_booted else failures + 1
                await asyncio.sleep(wait_s(failures))
            finally:
                self.state = self.state._replace(connected_ms=None)

    async def _converse(self) -> None:
        async with opened(self.setting, self._means.trusted) as socket:
            self.reporter.connected()
            self.state = self.state._replace(connected_ms=self._means.clock.now_ms())
            _log.info("%s is shown to %s", self.setting.unit_id, self._host)
            duplex = Duplex(self._next, self._answered, self._has_left, self._react, self._said, self._carry_out)
            await Conversation(socket, duplex, self._news).run()

    def _refused(self, refusal: Refusal | None) -> None:
        if refusal is None:
            return
        if refusal != (self.state.refused, self.state.refused_detail):  # not at every try
            why = refusal.reason.format(detail=refusal.detail)
            _log.warning("%s is not shown to %s: %s", self.setting.unit_id, self._host, why)
        self.state = self.state._replace(
            refused_ms=self._means.clock.now_ms(), refused=refusal.reason, refused_detail=refusal.detail
        )

    def _next(self) -> Due | None:
        if self._known is None:
            return None
        return self.reporter.next(self._known, self._sessions, time.monotonic(), self._means.clock.now_ms())

    async def _answered(self, due: Due, reply: Reply) -> None:
        before = self.reporter.refused
        self.reporter.answered(due, reply, time.monotonic())
        self.state = self.state._replace(answered_ms=self._means.clock.now_ms())
        if self.reporter.refused != before:
            self._refused(self.reporter.refused)
        await self.save()

    def _has_left(self) -> bool:
        return self._known is not None and self.reporter.has_left(self._known)

    def _react(self, action: str, payload: Payload) -> Reaction:
        if self._known is None:
            return ErrorCode.INTERNAL_ERROR
        setting, now_ms = self.setting, self._means.clock.now_ms()
        asked = Asked(payload, self._known, self.reporter.transaction_id, setting.may_command, now_ms)
        return react(action, asked)

    def _said(self, said: Said) -> None:
        if said.trigger is not None:
            self.reporter.trigger(said.trigger)

    async def _carry_out(self, order: Order) -> Payload | None:
        if not self._orders.take(time.monotonic()):
            self._means.counters.northbound_orders_refused += 1
            return {"status": order.not_done}
        try:
            status = await self._means.give(self.setting, order)
        except SQLAlchemyError:  # it is not known whether it was stored
            return None
        if status in (CommandStatus.WAITING, CommandStatus.UNANSWERED):
            return None
        return {"status": order.done if status is CommandStatus.DONE else order.not_done}
