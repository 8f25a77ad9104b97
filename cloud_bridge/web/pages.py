"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web import (
    account,
    charge_points,
    charging,
    email,
    fleet,
    history,
    jobs,
    login,
    own_data,
    pwa,
    ready_by,
    support,
    vehicle_choice,
    vehicle_hooks,
    vehicles,
)

ROUTERS = (
    login.router,
    charge_points.router,
    charging.router,
    history.router,
    support.router,
    jobs.router,
    account.router,
    email.router,
    own_data.router,
    vehicle_choice.router,
    vehicles.router,
    ready_by.router,
    vehicle_hooks.router,
    fleet.router,
    pwa.router,
)
