"""Answer the authorisation requests of the cluster's nodes (NATS auth callout): authenticate logins and grant
permissions.

Several processes share the work as one queue group. The logins that a killed process had taken are not answered: the
nodes refuse them after 10 s, and the units try again.

A node can refuse a login only with "not authorised" (CONNACK 5), after which a unit waits for up to 12 minutes. So a
login that cannot be checked now is not refused. Its connection is closed instead, and the unit reconnects within 15 s
(firmware/link/backoff.py).
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
WAITING_MAX = 20_000  # logins of 2 kB each; more than can be answered in time
ANSWERED_AT_ONCE = 500
IN_TIME_S = 8.0  # a node waits for 10 s; a later answer would be useless
FINISH_WITHIN_S = 3.0
REASONS = {
    packets.ID_REJECTED: "the client id is not the user name",
    packets.NOT_AUTHORISED: "not a unit, or not its secret",
}
WRONG_SEED = (
    "issuer_seed in the file of CHARGEKEEPER_NATS does not match the configuration of the nodes, so no node accepts "
    "the answers of this process: use the file that `nats write` made together with that configuration"
)

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    message: Msg
    since_s: float


class AuthCallout:
    """A member of the queue group."""

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
        self._asked_for = asyncio.Event()  # set when a login is waiting
        self._turns = asyncio.Semaphore(ANSWERED_AT_ONCE)
        self._answering: set[asyncio.Task[None]] = set()
        self._subscription: Subscription | None = None
        self._has_wrong_seed = False

    async def start(self) -> None:
        """Subscribe to login requests. The subscription survives a reconnect."""
        self._subscription = await self._client.subscribe(SUBJECT, QUEUE_GROUP, cb=self._asked)
        await self._client.flush()

    async def run(self) -> NoReturn:
        """Answer logins until cancelled. Raises SettingError if a node expects answers of another issuer. If this
        process stayed in the queue group, nodes would refuse logins that other processes could answer."""
        while True:
            await self._turns.acquire()
            while not self._waiting and not self._has_wrong_seed:
                self._asked_for.clear()
                await self._asked_for.wait()
            if self._has_wrong_seed:
                raise SettingError(WRONG_SEED)
            self._begin(self._waiting.pop())

    async def finish(self) -> None:
        """Unsubscribe, and answer the logins that were taken. The other members of the queue group get the rest."""
        if self._subscription is not None:
            with suppress(Error):  # there is no connection
                await self._subscription.unsubscribe()
        while self._waiting:
            self._begin(self._waiting.pop())
        if self._answering:
            await asyncio.wait(self._answering, timeout=FINISH_WITHIN_S)

    async def answer(self, data: bytes) -> bytes | None:
        """Return the answer to a node's request. Return None if the bytes are not from a node, or if the unit's
        connection was closed instead, because the login cannot be checked now or by this process."""
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
            _log.error("answering a login failed", exc_info=error)
