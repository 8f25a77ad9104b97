"""The authorisation service of a cluster: one of the processes that share this work (`python -m cloud_bridge auth`)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from nats.aio.client import Client
from nats.errors import Error
from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import Clock
from cloud_bridge.duties import Duties
from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.admission import Admission
from cloud_bridge.ingest.cluster.auth_callout import AuthCallout
from cloud_bridge.ingest.cluster.batched_credentials import BatchedCredentials
from cloud_bridge.ingest.cluster.canary_login import canary_secrets
from cloud_bridge.ingest.cluster.census import Census
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.ingest.cluster.connection import connect_bridge, connect_system
from cloud_bridge.ingest.cluster.nkey import Signer
from cloud_bridge.ingest.cluster.nodes import Nodes
from cloud_bridge.ingest.cluster.presence import PresenceWriter
from cloud_bridge.ingest.cluster.pull import keep_messages
from cloud_bridge.ingest.cluster.revocation import Revocation
from cloud_bridge.ingest.credentials import LOOKUPS_AT_ONCE
from cloud_bridge.ingest.inbound import Reporting
from cloud_bridge.store.database import Database

NAME = "chargekeeper auth"
WRITERS = 2  # connections to write presence: events, and the census
CONNECT_AGAIN_S = 1.0  # while no node of the cluster answers

_log = logging.getLogger(__name__)


class AuthService:
    """Answers logins, ends revoked connections and records presence. The caller runs the parts of `reporting` and
    closes the database. The process is not ready until it answers logins."""

    def __init__(
        self, cluster: Cluster, database: Database, reporting: Reporting, clock: Clock, duties: Duties
    ) -> None:
        self._cluster = cluster
        self._database = database
        self._reporting = reporting
        self._clock = clock
        self._duties = duties
        self._answering_over: Client | None = None  # the connection on which logins are answered; None before that
        duties.require(self._why_not_answering)

    async def run(self, answering: Callable[[], object]) -> None:
        """Run until cancelled. Waits until a node is reachable, and calls `answering` once logins are answered.

        Raises SettingError if the nodes do not accept the answers.
        """
        counters, security_log = self._reporting.counters, self._reporting.security_log
        database = self._database.separate(LOOKUPS_AT_ONCE + WRITERS)
        credentials = BatchedCredentials(database, canary_secrets(self._cluster))
        unknown_clients = self._reporting.unknown_clients
        admission = Admission(credentials, unknown_clients, security_log, counters, self._clock)
        clients: list[Client] = []
        try:
            clients.append(bridge := await self._connected(connect_bridge))
            clients.append(system := await self._connected(connect_system))
            await self._keep_messages(bridge)
            nodes = Nodes(system, len(self._cluster.nodes))
            await nodes.start()
            callout = AuthCallout(bridge, nodes, Signer(self._cluster.issuer_seed), admission, self._reporting)
            await callout.start()
            self._answering_over = bridge
            answering()
            revocation = Revocation(nodes, credentials, counters)
            names = [node.name for node in self._cluster.nodes]
            presence = PresenceWriter(nodes, names, database, self._clock, counters)
            await presence.start(system)
            census = Census(nodes, revocation, presence)
            try:
                async with asyncio.TaskGroup() as work:
                    work.create_task(callout.run())
                    for part in (revocation, presence, census):
                        work.create_task(part.run(self._duties))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
            finally:
                await callout.finish()
                with suppress(SQLAlchemyError):
                    await presence.write()
        finally:
            for client in clients:
                await client.close()
            credentials.close()
            database.close()

    def _why_not_answering(self) -> str | None:
        if self._answering_over is None:
            return "no login is answered yet: this process is not connected to the cluster"
        return (
            None if self._answering_over.is_connected else "no login is answered: no node of the cluster is reachable"
        )

    async def _keep_messages(self, bridge: Client) -> None:
        """Create the streams before any unit is accepted: without them the nodes would acknowledge messages and not
        store them."""
        while True:
            try:
                await keep_messages(bridge.jetstream(), len(self._cluster.nodes))
                return
            except (TimeoutError, Error, SettingError) as error:
                _log.warning("the streams of the cluster are not available yet: %s", error or type(error).__name__)
                await asyncio.sleep(CONNECT_AGAIN_S)

    async def _connected(self, connect: Callable[[Cluster, str], Awaitable[Client]]) -> Client:
        while True:
            try:
                return await connect(self._cluster, NAME)
            except (OSError, Error) as error:
                _log.warning("no node of the cluster is reachable: %s", error or type(error).__name__)
                await asyncio.sleep(CONNECT_AGAIN_S)
