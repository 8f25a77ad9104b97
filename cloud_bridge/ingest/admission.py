"""Admission of units: check the fields of a CONNECT and its secret."""

import logging
from collections.abc import Sequence
from enum import Enum, auto

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.counters import Counters
from cloud_bridge.ingest import packets
from cloud_bridge.ingest.credentials import Credentials, Known
from cloud_bridge.ingest.packets import Connect
from cloud_bridge.ingest.unknown_clients import UnknownClients
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.store.error_text import reason_of
from cloud_bridge.store.security_events import Kind
from cloud_bridge.wire import UNIT_ID

_log = logging.getLogger(__name__)


class Secret(Enum):
    """The result of checking a secret."""

    RIGHT = auto()
    WRONG = auto()
    OF_NOBODY = auto()  # there is no such unit
    UNCHECKED = auto()  # the store could not be read


class Admission:
    """Decides about logins. Every refusal is counted."""

    def __init__(
        self,
        credentials: Credentials,
        unknown_clients: UnknownClients,
        security_log: SecurityLog,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self.credentials = credentials
        self._unknown_clients = unknown_clients
        self._security_log = security_log
        self._counters = counters
        self._clock = clock

    async def refusal(self, connect: Connect, network: str) -> int:
        """Return the CONNACK return code for a CONNECT from `network`: ACCEPTED (0), or the reason for the refusal."""
        return self._refusal_of_form(connect) or await self._refusal_of_secret(connect, network)

    def _refusal_of_form(self, connect: Connect) -> int:
        """Check the fields other than the secret."""
        if connect.level != 4 or connect.protocol != "MQTT":
            self._counters.refused_protocol += 1
            return packets.WRONG_PROTOCOL
        if connect.user_name != connect.client_id:
            self._counters.refused_client_id += 1
            return packets.ID_REJECTED
        if connect.will_topic is not None and (
            connect.will_topic != f"cp/{connect.client_id}/lwt" or connect.will_retain
        ):
            self._counters.refused_will += 1
            return packets.NOT_AUTHORISED
        return packets.ACCEPTED

    async def _refusal_of_secret(self, connect: Connect, network: str) -> int:
        found = await self.check(connect.client_id, (connect.password or "",), network)
        return REFUSALS[found]

    def saw_stranger(self, name: str) -> None:
        """Record a name that cannot be a unit id. The operator sees it among the unknown ids."""
        self._unknown_clients.saw(name, self._clock.now_ms())

    async def check(self, unit_id: str, secrets: Sequence[str], network: str, known: Known | None = None) -> Secret:
        """Check whether one of `secrets` is the secret of the unit. There are several if a secret can be encoded in
        several ways; a refusal is counted and logged once. Pass `known` to avoid reading the store."""
        if not UNIT_ID.match(unit_id):
            self._counters.refused_unknown_unit += 1
            return Secret.OF_NOBODY
        try:
            found = [await self.credentials.check(unit_id, secret, known) for secret in secrets]
        except (SQLAlchemyError, TimeoutError) as error:
            self._counters.refused_store += 1
            _log.warning("cannot read credentials from the database: %s", reason_of(error))
            return Secret.UNCHECKED
        if True in found:
            return Secret.RIGHT
        _log.info("%s: login refused", unit_id)
        if None in found:
            return self._of_nobody(unit_id, network)
        self._counters.refused_wrong_secret += 1
        self._security_log.note(Kind.UNIT_REFUSED, network, about=f"wrong secret for {unit_id}")
        return Secret.WRONG

    async def check_certified(self, unit_id: str, network: str, known: Known | None = None) -> Secret:
        """Check a unit whose client certificate a trusted proxy has verified: only whether there is such a unit."""
        try:
            is_unit = await self.credentials.is_unit(unit_id, known)
        except (SQLAlchemyError, TimeoutError) as error:
            self._counters.refused_store += 1
            _log.warning("cannot read credentials from the database: %s", reason_of(error))
            return Secret.UNCHECKED
        return Secret.RIGHT if is_unit else self._of_nobody(unit_id, network)

    def _of_nobody(self, unit_id: str, network: str) -> Secret:
        self._counters.refused_unknown_unit += 1
        self._unknown_clients.saw(unit_id, self._clock.now_ms())
        self._security_log.note(Kind.UNIT_REFUSED, network, about="not a charger of ours")
        return Secret.OF_NOBODY


REFUSALS = {  # as return codes of a CONNACK
    Secret.RIGHT: packets.ACCEPTED,
    Secret.WRONG: packets.NOT_AUTHORISED,
    Secret.OF_NOBODY: packets.NOT_AUTHORISED,
    Secret.UNCHECKED: packets.UNAVAILABLE,
}
