"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web import account, charge_points, charging, history, jobs, login, support, vehicles

ROUTERS = (
    login.router,
    charge_points.router,
    charging.router,
    history.router,
    support.router,
    jobs.router,
    account.router,
    vehicles.router,
)
