"""Secrets that were changed or taken away: what was opened with one of them is to end, by whichever door it came in."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.ingest.credentials import Credentials
from cloud_bridge.store.error_text import reason_of

LOOK_BACK_MS = 60_000  # before the newest change that was seen: longer than any transaction, or login, is under way

_log = logging.getLogger(__name__)


class ChangedSecrets:
    """Asked again and again. No clock is asked: it may be another machine's that wrote down the change."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._newest_ms = 0

    async def look(self) -> dict[str, int]:
        """The units whose secret has changed lately, with the time of the change; none while the store cannot be read."""
        try:
            changed = await self._credentials.changed(max(1, self._newest_ms - LOOK_BACK_MS))
        except SQLAlchemyError as error:  # looked at again in a second; nobody logs in meanwhile either
            _log.warning("cannot read who was revoked: %s", reason_of(error))
            return {}
        self._newest_ms = max(changed.values(), default=self._newest_ms)
        return changed
