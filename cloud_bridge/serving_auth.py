"""`python -m cloud_bridge auth`: tells the cluster which unit may log in, and what it may then publish and read."""

import asyncio
import signal
from contextlib import closing, suppress

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import SystemClock
from cloud_bridge.counters import Counters
from cloud_bridge.duties import Duties
from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.auth_service import AuthService
from cloud_bridge.ingest.inbound import Reporting
from cloud_bridge.security_log import SecurityLog
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import open_database
from cloud_bridge.unit_reports import UnitReports
from cloud_bridge.verified_time import clocks_of

ENDING = (signal.SIGTERM, signal.SIGINT)


async def serve_auth(settings: Settings) -> None:
    """Until a signal. Raises SettingError without a cluster, and StoreUnusable."""
    if settings.cluster is None:
        raise SettingError("`auth` needs CHARGEKEEPER_NATS, the file of a cluster (`nats write` makes it)")
    stop = asyncio.Event()
    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with closing(open_database(settings.store)) as database:
        clocks, duties = clocks_of(SystemClock()), Duties()
        security_log = SecurityLog(database, clocks)
        unit_reports = UnitReports(database, clocks.clock, "auth")
        reporting = Reporting(Counters(), security_log, unit_reports)
        service = AuthService(settings.cluster, database, reporting, clocks.clock, duties)
        running = (service.run(), security_log.run(duties), unit_reports.run(duties))
        work = [asyncio.create_task(each) for each in running]
        work.append(asyncio.create_task(_say_ready(service)))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *work[:3]], return_when=asyncio.FIRST_COMPLETED)
        for task in work:
            if task.done():
                task.result()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(SQLAlchemyError):
            await asyncio.to_thread(security_log.write)


async def _say_ready(service: AuthService) -> None:
    await service.ready.wait()
    print("auth   answers the logins of the cluster", flush=True)
