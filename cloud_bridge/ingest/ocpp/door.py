"""The OCPP door: the WebSocket server for chargers of other makers, at `/ocpp/<id>`, for OCPP-J 1.6 and 2.0.1. Created
and used on one event loop.

    accepted (entrance.py) --request with id and credentials--> open --frames--> closed
                              |
                              +-- refused, with a reason that is stored for the installer (login.py)

The door accepts the sockets itself and passes each to the WebSocket library. So connections that are not authenticated
are counted and closed by the same rules as MQTT connections, and the same secrets apply (admission.py). Every frame is
recorded as contact before it is parsed, and answered when it is committed: a charger stores unanswered messages and
sends them again.

A unit has one connection, the newest that was authenticated. The older one is closed after the new one is registered,
so its end does not mark the unit as disconnected. In a cluster this applies across all doors (others.py).
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import NamedTuple, cast

from sqlalchemy.exc import SQLAlchemyError
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from cloud_bridge.client_address import Proxies, network_of
from cloud_bridge.connection_limits import Budget
from cloud_bridge.ingest.admission import Admission, Secret
from cloud_bridge.ingest.canary import CANARY_ID
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.ingest.changed_secrets import ChangedSecrets
from cloud_bridge.ingest.credentials import Known
from cloud_bridge.ingest.inbound import Ingest
from cloud_bridge.ingest.listener import LOGINS_AT_ONCE, LOOK_EVERY_S
from cloud_bridge.ingest.ocpp import certificate_subject, login
from cloud_bridge.ingest.ocpp.actions import Outcome, carry_out, state_of
from cloud_bridge.ingest.ocpp.connection import QUIET, OcppConnection
from cloud_bridge.ingest.ocpp.dialects import chosen
from cloud_bridge.ingest.ocpp.door_canary import DoorAddress, DoorCanary
from cloud_bridge.ingest.ocpp.entrance import Entrance, SocketServer
from cloud_bridge.ingest.ocpp.frames import Call, ErrorCode, Reply, error, read_frame, result
from cloud_bridge.ingest.ocpp.line import Do
from cloud_bridge.ingest.ocpp.login import Knock, Refused
from cloud_bridge.ingest.ocpp.orders import ordered
from cloud_bridge.ingest.ocpp.others import Alone, Others
from cloud_bridge.ingest.ocpp.outgoing import Outgoing
from cloud_bridge.ingest.ocpp.records import Record
from cloud_bridge.ingest.ocpp.stored_charger import Stored
from cloud_bridge.ingest.session import CONNECT_OVER_TLS_WITHIN_S
from cloud_bridge.ingest.ways_in import OCPP
from cloud_bridge.listening_sockets import ANYWHERE, LOOPBACK

CONTESTED_AFTER, CONTESTED_WITHIN_S = 4, 600.0  # take-overs of connections that were alive
LOOKED_AT_ONCE = 100  # connections checked before the event loop serves something else
RETRY_AFTER_S = 30  # for a temporary refusal
TOO_LARGE = 1009  # close code, RFC 6455 section 7.4.1
STATUSES = {  # HTTP status and reason for each failed check of a secret
    Secret.WRONG: (HTTPStatus.UNAUTHORIZED, login.WRONG_SECRET),
    Secret.OF_NOBODY: (HTTPStatus.UNAUTHORIZED, login.NOT_OURS),
    Secret.UNCHECKED: (HTTPStatus.SERVICE_UNAVAILABLE, login.TRY_AGAIN),
}

FindCharger = Callable[[str], Stored]  # reads the database

_log = logging.getLogger(__name__)


class Limits(NamedTuple):
    """The limits on connections, and the trusted proxies."""

    budget: Budget
    proxies: Proxies


class OcppDoor:
    """The OCPP server: authenticates chargers, records contacts, answers frames and sends commands."""

    def __init__(
        self,
        ingest: Ingest,
        admission: Admission,
        find_charger: FindCharger,
        limits: Limits,
        others: Others | None = None,
    ) -> None:
        self._ingest = ingest
        self._admission = admission
        self._find_charger = find_charger
        self._proxies = limits.proxies
        self._others = others or Alone()
        self._counters = ingest.counters
        self._loop = asyncio.get_running_loop()
        self._turns = asyncio.Semaphore(LOGINS_AT_ONCE)
        self._changed_secrets = ChangedSecrets(admission.credentials)
        server = SocketServer(
            self._serve,
            process_request=self._admit,
            open_timeout=CONNECT_OVER_TLS_WITHIN_S,
            server_header=None,
            logger=QUIET,
        )
        self._entrance = Entrance(server, limits.budget, ingest.counters, limits.proxies)
        self._doors: list[DoorAddress] = []
        self._looking: asyncio.Task[None] | None = None
        self._open: dict[str, OcppConnection] = {}
        self._mute: set[str] = set()  # units that do not answer CALLs; only messages that they send themselves count
        self._take_overs_s: dict[str, list[float]] = {}  # times of the last take-overs, by unit

    async def listen(self, host: str, port: int, certificate: Certificate | None = None) -> int:
        """Start accepting chargers; with a certificate, over TLS only. May be called for several ports.

        Return the port, which the system chooses if `port` is 0. Raises OSError.
        """
        bound = self._entrance.listen(host, port, certificate)
        self._doors.append(DoorAddress(LOOPBACK if host in ANYWHERE else host, bound, certificate is not None))
        self._ingest.ways.expect(OCPP)
        if self._looking is None:
            self._looking = self._loop.create_task(self._look())
        return bound

    def canary(self) -> DoorCanary:
        """Return a canary for all ports of the door. Call this after `listen`."""
        return DoorCanary(self._doors, self._admission.credentials.canary_secret, self._counters)

    async def close(self) -> None:
        """Stop listening, and close all connections."""
        if self._looking is not None:
            self._looking.cancel()
        await self._entrance.close()
        self._admission.credentials.close()

    @property
    def connections(self) -> int:
        return len(self._entrance.connections)

    def is_connected(self, unit_id: str) -> bool:
        """Return whether the charger has an open connection. This is no contact: a half-open connection looks the
        same."""
        return unit_id in self._open

    def command(self, unit_id: str, payload: bytes) -> bool:
        """Send the charger a command in our wire format. Return False if it is not connected or too many CALLs are
        waiting."""
        connection = self._open.get(unit_id)
        if connection is None:
            return False
        now_ms = self._ingest.clock.now_ms()
        asked = ordered(connection.dialect.plan, payload, connection.charger, now_ms)
        if isinstance(asked, Record):  # the result is ours, so it is no contact
            return self._ingest.take_late(unit_id, *asked, now_ms, _stored)
        calls = [Outgoing(step.action, step.payload, partial(asked.answered, step)) for step in asked.steps]
        if not connection.calls.add(*calls):
            return False
        connection.send_next_call()
        return True

    def leave(self, unit_id: str, since_ms: int) -> None:
        """Close the connection of a charger that is connected to another door since `since_ms`, if ours is older."""
        connection = self._open.get(unit_id)
        if connection is not None and connection.since_ms < since_ms:
            self._counters.take_overs += 1
            connection.abort()

    def connected(self) -> dict[str, int]:
        """Return the chargers that are connected here, with the timestamps of their connections in ms."""
        return {unit_id: connection.since_ms for unit_id, connection in self._open.items()}

    def tell_again(self) -> None:
        """Report all connected chargers again, after another door has removed this one from the store."""
        for connection in self._open.values():
            self._mark_connected(connection, True)

    # From the HTTP request to the first frame.

    async def _admit(self, made: ServerConnection, request: Request) -> Response | None:
        """Authenticate a request. Return None to accept it, or the response that refuses it."""
        asking = cast(OcppConnection, made)  # Entrance creates them
        client = self._proxies.client_of(asking.address, request.headers.get_all("X-Forwarded-For"))
        asking.network = network_of(client)
        with self._entrance.login(asking):
            refused = await self._refusal(asking, asking.network, request)
        if refused is None:
            self._counters.logins += 1
            return None
        if refused.unit_id is not None:
            self._ingest.reports.refused(refused.unit_id, refused.reason)
        response = asking.respond(refused.status, f"{refused.reason}\n")
        if refused.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = 'Basic realm="OCPP"'
        if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response

    async def _refusal(self, asking: OcppConnection, network: str, request: Request) -> Refused | None:
        subjects = request.headers.get_all(certificate_subject.HEADER) if asking.address in self._proxies else ()
        knock = login.read_knock(request.path, request.headers.get_all("Authorization"), subjects)
        if isinstance(knock, Refused):
            self._counters.refused_client_id += 1
            if knock.called:
                _log.info("%r: OCPP login refused: %s", knock.called, knock.reason)
                self._admission.saw_stranger(knock.called)
            return knock
        unit_id = knock.unit_id
        async with self._turns:
            if asking.transport.is_closing():  # closed by the charger or by Entrance while it was waiting
                return Refused(HTTPStatus.SERVICE_UNAVAILABLE, login.BUSY)
            found = await self._proof(asking, knock, network)
        if found is not Secret.RIGHT:
            return Refused(*STATUSES[found], unit_id)
        agreed = chosen(login.offered(request.headers.get_all("Sec-WebSocket-Protocol")))
        if agreed is None:
            self._counters.refused_protocol += 1
            return Refused(HTTPStatus.BAD_REQUEST, login.NO_SUBPROTOCOL, unit_id)
        if not self._ingest.admits(unit_id, self._ingest.clock.now_ms()):
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, login.TOO_MUCH, unit_id)
        asking.unit_id, asking.dialect = unit_id, agreed[1]
        return None

    async def _proof(self, asking: OcppConnection, knock: Knock, network: str) -> Secret:
        """Check the credentials, and load the charger's stored state into the connection. Everything is read in one
        call, so that each login needs only one turn on a thread when a fleet reconnects."""
        known, stored = None, None
        with suppress(SQLAlchemyError):  # the check below will fail too, and report it
            known, stored = await self._admission.credentials.look_up(self._look_up, knock.unit_id)
            asking.credentials_ms = known.changed_ms
            asking.charger, asking.since_ms = stored
        if knock.is_certified:
            found = await self._admission.check_certified(knock.unit_id, network, known)
        else:
            found = await self._admission.check(knock.unit_id, knock.secrets, network, known)
        return Secret.UNCHECKED if found is Secret.RIGHT and stored is None else found

    def _look_up(self, unit_id: str) -> tuple[Known, Stored]:
        """Read the credentials and the stored state. Runs on a thread. Raises SQLAlchemyError."""
        return self._admission.credentials.known(unit_id), self._find_charger(unit_id)

    # While it is open.

    async def _serve(self, made: ServerConnection) -> None:
        serving = cast(OcppConnection, made)  # Entrance creates them
        unit_id = serving.unit_id
        if unit_id == CANARY_ID:
            await serving.serve(partial(self._take_mark, serving))
            return
        older, self._open[unit_id] = self._open.get(unit_id), serving
        if older is not None:
            self._counters.take_overs += 1
            self._note_take_over(older)
            serving.charger = older.charger  # newer than what is stored
            older.abort()
        serving.line.waits = unit_id in self._mute
        self._mark_connected(serving, True)
        self._others.opened(unit_id, serving.since_ms)
        self._ingest.reports.speaks(unit_id, serving.dialect.subprotocol)
        serving.note_call = partial(self._note_call, unit_id)
        try:
            await serving.serve(partial(self._take_frame, serving))
        finally:
            sent = serving.protocol.close_sent
            self._counters.closed_too_large += sent is not None and sent.code == TOO_LARGE
            serving.calls.end()
            if self._open.get(unit_id) is serving:
                del self._open[unit_id]
                self._mark_connected(serving, False)
                self._others.closed(unit_id)
            serving.abort()

    def _note_take_over(self, older: OcppConnection) -> None:
        """Count a take-over of a connection that was alive. Repeated take-overs mean that two chargers have one
        identity."""
        now_s = self._loop.time()
        if older.transport.is_closing() or not older.line.is_fresh(now_s):
            return
        times_s = [one for one in self._take_overs_s.get(older.unit_id, []) if now_s - one < CONTESTED_WITHIN_S]
        self._take_overs_s[older.unit_id] = times_s = [*times_s, now_s][-CONTESTED_AFTER:]
        if len(times_s) == CONTESTED_AFTER:
            self._ingest.reports.contested(older.unit_id)

    def _take_frame(self, connection: OcppConnection, data: bytes) -> None:
        """Process a frame. If that fails, the frame is not answered and the connection is closed, so that the charger
        sends it again."""
        try:
            is_taken = self._is_taken(connection, data)
        except Exception:  # a bug ends only this connection
            self._counters.failed_messages += 1
            _log.exception("%s: OCPP connection failed", connection.unit_id)
            is_taken = False
        if not is_taken:
            connection.abort()

    def _is_taken(self, connection: OcppConnection, data: bytes) -> bool:
        unit_id, now_ms = connection.unit_id, self._ingest.clock.now_ms()
        if not self._ingest.admits(unit_id, now_ms):
            return False
        heard = self._ingest.hear(unit_id, now_ms)  # a contact, even if the frame cannot be parsed
        own_s = connection.line.frame(self._loop.time())
        if own_s is not None:
            self._ingest.reports.own_interval(unit_id, int(own_s))
        answer, outcome = self._read(connection, data, now_ms)
        self._ingest.reports.frames.note(unit_id, now_ms, data, answer)
        connection.took()
        committed = partial(connection.committed, answer)
        return self._ingest.take_translated(heard, outcome.records, outcome.refused is not None, committed)

    def _read(self, connection: OcppConnection, data: bytes, now_ms: int) -> tuple[str | None, Outcome]:
        """Process a frame. Return the answer, or None if there is none, and the outcome."""
        frame, spelt = read_frame(data), connection.dialect.spelt
        if isinstance(frame, Reply):
            if connection.calls.has_asked(frame):
                self._answers(connection)
            records = connection.calls.answered(frame)
            self._ingest.reports.settings.note(connection.unit_id, connection.charger.hand_on_settings())
            connection.send_next_call()
            return None, Outcome({}, [*records, *state_of(connection.charger)])
        if not isinstance(frame, Call):
            _log.info("%s: invalid OCPP frame: %s", connection.unit_id, frame.why)
            code = spelt.get(frame.code, frame.code)
            answer = None if frame.message_id is None else error(frame.message_id, code, frame.why)
            return self._refusing(connection, answer), Outcome({}, [], frame.code)
        try:
            outcome = carry_out(connection.dialect.actions, connection.charger, frame, now_ms)
        except Exception:  # a bug; the contact is stored all the same
            self._counters.failed_messages += 1
            _log.exception("%s: processing of %s failed", connection.unit_id, frame.action)
            outcome = Outcome({}, [], ErrorCode.INTERNAL_ERROR)
        if frame.action.lower() == "bootnotification":
            connection.line.booted(self._loop.time())
            connection.set_up(now_ms // 1000)
            if not connection.charger.has_told:
                connection.ask_for("StatusNotification")
        if outcome.refused is not None:
            code = spelt.get(outcome.refused, outcome.refused)
            return self._refusing(connection, error(frame.message_id, code)), outcome
        return result(frame.message_id, outcome.answer), outcome

    def _note_call(self, unit_id: str, frame: bytes) -> None:
        """Store one of our own CALLs for support."""
        self._ingest.reports.frames.note(unit_id, self._ingest.clock.now_ms(), frame, is_ours=True)

    def _answers(self, connection: OcppConnection) -> None:
        """Note that the charger answers CALLs, so that it can be probed."""
        self._mute.discard(connection.unit_id)
        if not connection.has_answered:
            connection.has_answered = True
            self._ingest.reports.own_interval(connection.unit_id, None)

    def _refusing(self, connection: OcppConnection, answer: str | None) -> str | None:
        """Return the CALLERROR, or None if the charger has received too many."""
        if answer is None or connection.error_budget.take(self._loop.time()):
            return answer
        self._counters.errors_withheld += 1
        return None

    def _take_mark(self, connection: OcppConnection, data: bytes) -> None:
        """Process a frame of our canary."""
        frame = read_frame(data)
        now_ms = self._ingest.clock.now_ms()
        answer = result(frame.message_id, {}) if isinstance(frame, Call) else None
        connection.took()
        if not self._ingest.take_canary(now_ms, partial(connection.committed, answer), OCPP):
            connection.abort()

    def _mark_connected(self, connection: OcppConnection, connected: bool) -> None:
        """Report whether the charger is connected. The timestamp is later than any door's earlier report, even if
        clocks differ."""
        unit_id = connection.unit_id
        self._ingest.live.unit(unit_id).connected = connected
        connection.since_ms = self._ingest.reports.connected(unit_id, connected, connection.since_ms)

    # Periodic work.

    async def _look(self) -> None:
        await self._ingest.duties.every(LOOK_EVERY_S, "ocpp_connections", self._look_once)

    async def _look_once(self) -> None:
        for number, connection in enumerate(list(self._open.values()), 1):
            self._look_at(connection, self._loop.time())
            if number % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        for unit_id, changed_ms in (await self._changed_secrets.look()).items():
            revoked = self._open.get(unit_id)
            if revoked is not None and revoked.credentials_ms != changed_ms:
                self._counters.closed_revoked += 1
                revoked.abort()
        self._counters.dropped_frames = self._ingest.reports.frames.left_out
        self._entrance.look()

    def _look_at(self, connection: OcppConnection, now_s: float) -> None:
        if connection.transport.is_closing():  # closed since the look began
            return
        if connection.has_sign:
            connection.has_sign = False
            self._ingest.reports.line_alive(connection.unit_id)
        connection.calls.look(now_s)
        due = connection.line.look(now_s)
        if due is Do.CLOSE:
            self._counters.closed_idle += 1
            if connection.line.has_asked_in_vain:
                self._mute.add(connection.unit_id)
            connection.abort()
            return
        if due is Do.PING:
            connection.ask_for_pong()
        elif due is Do.PROBE:
            connection.ask_for("Heartbeat")
        elif due is Do.ASK_BOOT and not connection.charger.has_told:
            connection.ask_for("BootNotification")
            connection.ask_for("StatusNotification")
        elif due is Do.ASK_INTERVAL:
            connection.ask_for_interval()
        connection.ask_for_signal()
        connection.send_next_call()


def _stored() -> None:
    """Do nothing: no acknowledgement waits for this record."""
