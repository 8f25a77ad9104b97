"""The cloud of the web tests as the panel's CloudSide: shows it, and skips its time."""

import asyncio
from typing import Any

from hil_tests.rig.panel.cloud_side import RUNNING
from hil_tests.web.cloud_fixture import WebCloudFixture


class PlaceCloud:
    """A CloudSide of a WebCloudFixture."""

    def __init__(self, place: WebCloudFixture) -> None:
        self._place = place
        self._skipped_minutes = 0

    def view(self) -> dict[str, Any]:
        address, skipped = self._place.address, self._skipped_minutes
        return {"address": address, "state": RUNNING, "trouble": "", "skipped_minutes": skipped, "operator_code": None}

    async def skip(self, minutes: int) -> None:
        await asyncio.to_thread(self._place.minutes_pass, minutes)
        self._skipped_minutes += minutes
