"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web import account, charge_points, jobs, login, support

ROUTERS = (login.router, charge_points.router, support.router, jobs.router, account.router)
