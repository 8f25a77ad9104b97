"""All the pages, in the order in which their paths are tried."""

from cloud_bridge.web.api import vehicle_webhooks
from cloud_bridge.web.pages.driver import charge_points, charging, history, ready_by, vehicle_choice, vehicles
from cloud_bridge.web.pages.everyone import (
    account,
    claim,
    email,
    forgotten_password,
    login,
    login_code,
    login_passkey,
    new_account,
    notifications,
    own_data,
    passkeys,
    pwa,
    second_factor,
    sessions,
    sign_up,
    support,
)
from cloud_bridge.web.pages.installer import job_customer, job_moves, job_raise, job_report, jobs
from cloud_bridge.web.pages.operator import fleet, invitations, security

ROUTERS = (
    login.router,
    login_code.router,
    login_passkey.router,
    forgotten_password.router,
    sign_up.router,
    new_account.router,
    claim.router,
    charge_points.router,
    charging.router,
    history.router,
    support.router,
    jobs.router,
    job_raise.router,
    job_moves.router,
    job_report.router,
    job_customer.router,
    account.router,
    email.router,
    notifications.router,
    own_data.router,
    sessions.router,
    second_factor.router,
    passkeys.router,
    vehicle_choice.router,
    vehicles.router,
    ready_by.router,
    vehicle_webhooks.router,
    fleet.router,
    security.router,
    invitations.router,
    pwa.router,
)
