"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web.api import vehicle_webhooks
from cloud_bridge.web.pages.driver import charge_points, charging, history, ready_by, vehicle_choice, vehicles
from cloud_bridge.web.pages.everyone import (
    account,
    docs,
    email,
    login,
    login_code,
    own_data,
    pwa,
    second_factor,
    sessions,
    support,
)
from cloud_bridge.web.pages.installer import jobs
from cloud_bridge.web.pages.operator import fleet, security

ROUTERS = (
    login.router,
    login_code.router,
    charge_points.router,
    charging.router,
    history.router,
    support.router,
    jobs.router,
    account.router,
    email.router,
    own_data.router,
    sessions.router,
    second_factor.router,
    vehicle_choice.router,
    vehicles.router,
    ready_by.router,
    vehicle_webhooks.router,
    fleet.router,
    security.router,
    docs.router,
    pwa.router,
)
