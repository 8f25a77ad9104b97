"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web import account, charge_points, history, jobs, login, support, vehicles

ROUTERS = (
    login.router,
    charge_points.router,
    history.router,
    support.router,
    jobs.router,
    account.router,
    vehicles.router,
)
