"""`python -m cloud_bridge`, or `... all`: every role in one process."""

from cloud_bridge.app_state import AppState
from cloud_bridge.authority_sender import AuthoritySender
from cloud_bridge.clock import SystemClock
from cloud_bridge.order_sender import OrderSender
from cloud_bridge.roles import auth, ingest, upkeep, web
from cloud_bridge.roles.home import home_door
from cloud_bridge.roles.http import listen
from cloud_bridge.roles.opening import open_app_state
from cloud_bridge.roles.process import Duty
from cloud_bridge.roles.ready import Ready
from cloud_bridge.roles.role import Role
from cloud_bridge.roles.way_in import way_in
from cloud_bridge.settings import Settings
from cloud_bridge.web.app import create_app


def orders(app_state: AppState) -> list[Duty]:
    """The duties that send the operator's orders to units, in the process that can reach them."""
    return [AuthoritySender(app_state).run(app_state.duties), OrderSender(app_state).run(app_state.duties)]


async def serve(settings: Settings, ready: Ready) -> None:
    """Serve until a signal. Raises BridgeError."""
    async with open_app_state(settings, SystemClock, Role.ALL) as app_state, upkeep.alarm_of(app_state) as alarm:
        with listen(app_state, create_app) as http:
            async with way_in(app_state) as opened, home_door(app_state) as home:
                ports = (opened.mqtt_port, opened.mqtts_port, opened.ocpp_port, opened.ocpps_port)
                ready(http.port, *ports, home.ports)
                await http.serve(
                    [
                        *ingest.duties(app_state, opened),
                        *auth.duties(app_state),
                        *upkeep.duties(app_state, alarm),
                        *([] if settings.cluster is not None else orders(app_state)),
                        *web.duties(app_state),
                        *home.duties,
                    ]
                )
