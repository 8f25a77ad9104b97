"""Detect changed and revoked secrets, so that connections that were opened with them can be closed."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ingest.credentials import Credentials
from cloud_bridge.store.error_text import reason_of

LOOK_BACK_MS = 60_000  # before the newest known change; longer than any transaction or login takes

_log = logging.getLogger(__name__)


class ChangedSecrets:
    """Polls the store for changes. It does not use our clock, because another machine may have timestamped the
    change."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._newest_ms = 0

    async def look(self) -> dict[str, int]:
        """Return the units whose secret has changed recently, with the time of the change in ms. Return {} while the
        store cannot be read."""
        try:
            changed = await self._credentials.changed(max(1, self._newest_ms - LOOK_BACK_MS))
        except SQLAlchemyError as error:  # retried in a second; new logins are not possible meanwhile either
            _log.warning("cannot read revoked units from the database: %s", reason_of(error))
            return {}
        self._newest_ms = max(changed.values(), default=self._newest_ms)
        return changed
