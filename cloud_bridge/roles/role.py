"""The roles of our processes, and the settings that each role needs.

With our own broker or an outside one, one process does everything; other processes may run beside it, to receive a part
of the units or to stand by for the upkeep. With a cluster the work is shared, and each role may have several processes.
"""

from enum import StrEnum

from cloud_bridge.errors import SettingError
from cloud_bridge.ingest.cluster.cluster_file import Cluster
from cloud_bridge.settings import Settings

NO_OCPP_PORT = "set CHARGEKEEPER_OCPP_PORT or CHARGEKEEPER_OCPPS_PORT: where chargers are to reach `ocpp`"


class Role(StrEnum):
    """The word after `python -m cloud_bridge`."""

    ALL = "all"  # everything, in one process
    WEB = "web"  # pages and interface
    INGEST = "ingest"  # writes what units send into the store
    AUTH = "auth"  # tells the cluster who may log in
    OCPP = "ocpp"  # writes what chargers of other makers send into the store
    UPKEEP = "upkeep"  # what is done at regular times: silences, alerts, retention, vehicles

    @property
    def has_way_in(self) -> bool:
        """Whether what units send reaches the store through this role. Only such a role keeps units in memory."""
        return self in (Role.ALL, Role.INGEST, Role.OCPP)


def check(role: Role, settings: Settings) -> None:
    """Check that the role can run with these settings. Raises SettingError, which says what to do."""
    has_door = settings.ocpp_port is not None or settings.ocpps_port is not None
    if role is Role.OCPP and not has_door:
        raise SettingError(NO_OCPP_PORT)
    if settings.cluster is not None:
        _check_in_cluster(role, settings.cluster, has_door)
        return
    if role is Role.INGEST and settings.broker is None:
        raise SettingError(
            "set CHARGEKEEPER_BROKER or CHARGEKEEPER_NATS: the units of our own broker cannot be shared by processes"
        )
    if role is Role.UPKEEP and settings.database is None:
        raise SettingError("set CHARGEKEEPER_DATABASE: `upkeep` works on a PostgreSQL that other processes fill")
    if role is Role.OCPP:
        raise SettingError(
            "`ocpp` needs CHARGEKEEPER_NATS, the file of a cluster's doors (`nats write` makes it): without one, start "
            "`python -m cloud_bridge`, which has the door in it"
        )
    if role in (Role.WEB, Role.AUTH):
        raise SettingError(
            f"`{role}` needs CHARGEKEEPER_NATS, the file of a cluster (`nats write` makes it): without one, start "
            "`python -m cloud_bridge`, which is every role in one process"
        )


def _check_in_cluster(role: Role, cluster: Cluster, has_door: bool) -> None:
    if role is Role.OCPP and not cluster.ocpp_secret:
        raise SettingError(
            "the file of CHARGEKEEPER_NATS is older than the doors for OCPP: write it again with `nats write`, and restart "
            "each node"
        )
    if role is not Role.OCPP and cluster.is_doors:
        raise SettingError(f"the file of CHARGEKEEPER_NATS is that of the doors for OCPP: `{role}` needs cluster.json")
    if role is Role.ALL and has_door:
        raise SettingError(
            "CHARGEKEEPER_OCPP_PORT and CHARGEKEEPER_OCPPS_PORT are for `ocpp` in a cluster: start `python -m cloud_bridge "
            "ocpp` with them, and this process without"
        )
