"""Answers the nodes of the cluster when somebody logs in: who it is, by the store, and what it may do.

Several processes share the work, as one queue group. When one is killed, nobody answers the logins that it had taken: their
nodes refuse them after 10 s, and the units come again.

A node has one refusal, "not authorised" (CONNACK 5), after which a unit stays away for up to 12 minutes. So a login that
cannot be checked now is not refused: its connection is ended, and the unit is back within 15 s (firmware/link/backoff.py).
"""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from typing import NamedTuple, NoReturn

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.cluster.jwt import BadToken
from cloud_bridge.ingest.cluster.login_request import LoginRequest, WrongIssuer, acceptance, read_request, refusal
from cloud_bridge.ingest.cluster.nkey import Signer
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.inbound import Reporting
from cloud_bridge.ingest.quotas import Quotas

SUBJECT = "$SYS.REQ.USER.AUTH"
QUEUE_GROUP = "auth"
WAITING_MAX = 20_000  # logins, of 2 kB; more than can be answered in time
ANSWERED_AT_ONCE = 500
IN_TIME_S = 8.0  # of the 10 that a node waits; an answer after that is work for nothing
FINISH_WITHIN_S = 3.0
REASONS = {
    packets.ID_REJECTED: "the client id is not the user name",
    packets.NOT_AUTHORISED: "not a unit, or not its secret",
}
WRONG_SEED = (
    "issuer_seed in the file of CHARGEKEEPER_NATS is not the one that the nodes' configuration was written with, so no node "
    "takes an answer of this process: bring it the file that `nats write` has made with that configuration"
)

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    message: Msg
    since_s: float


class AuthCallout:
    """One of the queue group."""

    def __init__(
        self, client: Client, nodes: Nodes, signer: Signer, admission: Admission, reporting: Reporting
    ) -> None:
        """`client` is connected as the bridge."""
        self._nodes = nodes
        self._client = client
        self._signer = signer
        self._admission = admission
        self._counters = reporting.counters
        self._unit_reports = reporting.units
        self._quotas = Quotas()
        self._now_s = time.monotonic
        self._waiting: deque[_Waiting] = deque()
        self._asked_for = asyncio.Event()  # somebody waits
        self._turns = asyncio.Semaphore(ANSWERED_AT_ONCE)
        self._answering: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        self._has_wrong_seed = False

    async def start(self) -> None:
        """From now on logins are taken, also over lost connections."""
        self._subscription = await self._client.subscribe(SUBJECT, QUEUE_GROUP, cb=self._asked)
        await self._client.flush()

    async def run(self) -> NoReturn:
        """Answer, for ever. Raises SettingError once a node has asked for answers of another issuer: as one of the queue
        group this process would have logins refused that others could answer."""
        while True:
            await self._turns.acquire()
            while not self._waiting and not self._has_wrong_seed:
                self._asked_for.clear()
                await self._asked_for.wait()
            if self._has_wrong_seed:
                raise SettingError(WRONG_SEED)
            self._begin(self._waiting.pop())

    async def finish(self) -> None:
        """Take no more, and answer those that were taken: the others of the queue group have the rest."""
        if self._subscription is not None:
            with suppress(Error):  # without a connection nobody asks
                await self._subscription.unsubscribe()
        while self._waiting:
            self._begin(self._waiting.pop())
        if self._answering:
            await asyncio.wait(self._answering, timeout=FINISH_WITHIN_S)

    async def answer(self, data: bytes) -> bytes | None:
        """To what a node asks. None for bytes that no node has sent, and where the connection is ended instead, because it
        cannot be checked now, or not by this process."""
        try:
            request = read_request(data, self._signer.public)
        except WrongIssuer as asked:
            self._counters.bad_login_requests += 1
            self._has_wrong_seed = True
            self._asked_for.set()
            await self._nodes.end(asked.server_id, asked.number)
            return None
        except BadToken:
            self._counters.bad_login_requests += 1
            return None
        code = await self._refusal(request)
        if code == packets.UNAVAILABLE:
            await self._nodes.end(request.server_id, request.number)
            return None
        if code != packets.ACCEPTED:
            return refusal(self._signer, request, REASONS[code])
        self._counters.logins += 1
        return acceptance(self._signer, request, str(request.client_id))

    async def _refusal(self, request: LoginRequest) -> int:
        connect = request.as_connect()
        code = await self._admission.refusal(connect, request.host)
        if code == packets.ACCEPTED and not self._quotas.take(connect.client_id, self._now_s()):
            self._counters.refused_over_quota += 1
            self._unit_reports.went_over_quota(connect.client_id)
            return packets.UNAVAILABLE
        return code

    async def _asked(self, message: Msg) -> None:
        now_s = self._now_s()
        self._waiting.append(_Waiting(message, now_s))
        while len(self._waiting) > WAITING_MAX or now_s - self._waiting[0].since_s > IN_TIME_S:
            self._waiting.popleft()
            self._counters.dropped_logins += 1
        self._asked_for.set()

    async def _respond(self, waiting: _Waiting) -> None:
        message = waiting.message
        if self._now_s() - waiting.since_s > IN_TIME_S:
            self._counters.dropped_logins += 1
            return
        answer = await self.answer(message.data)
        if answer is not None and message.reply:
            await self._client.publish(message.reply, answer)

    def _begin(self, waiting: _Waiting) -> None:
        task = asyncio.create_task(self._respond(waiting))
        self._answering.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._answering.discard(task)
        self._turns.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._counters.failed_messages += 1
            _log.error("cannot answer a login", exc_info=error)
