"""Liveness (`/livez`) and readiness (`/healthz`) of a process. Every role serves both."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from cloud_bridge.clock import iso_utc
from cloud_bridge.duties import STORE_DUTY
from cloud_bridge.web.api.schema import ACCESS_PROBLEMS, Health, Problem, ServiceStatus
from cloud_bridge.web.presentation.view import is_listening
from cloud_bridge.web.security.access import SeesHealth, StateDep

STEPS = 10  # newest clock steps listed in /healthz

router = APIRouter()


@router.get("/livez", response_model=ServiceStatus)
async def live() -> dict[str, str]:
    """Return 200 while this process can answer. It checks neither the store nor the broker: restarting the process would not
    repair them."""
    return {"status": "ok"}


@router.get(
    "/healthz",
    response_model=Health | ServiceStatus,
    responses=ACCESS_PROBLEMS
    | {
        503: {
            "model": Health | ServiceStatus | Problem,
            "description": "Not ready: messages cannot be stored, or logins cannot be answered.",
        }
    },
)
def health(app_state: StateDep, response: Response, sees_all: SeesHealth) -> dict[str, Any]:
    """Return 200 if this process is ready, and 503 otherwise. A process that receives messages is ready while it can store
    them. Any other process is ready while it can read the store; a process of the role `auth` must also be able to answer
    logins. Without the scope `operate`, the body has only `status`."""
    no_store = app_state.recorder.trouble or app_state.duties.reason(STORE_DUTY) or app_state.broker.trouble
    trouble = no_store or app_state.duties.unmet
    duties = app_state.duties.states()
    late = ", ".join(duty.name for duty in duties if duty.is_late)
    since_ms = app_state.leadership.since_ms
    status = "ok" if not late else f"late: {late}"
    if trouble is not None:
        status = "not ready" if no_store is None else "messages cannot be stored, and are not acknowledged"
        response.status_code = 503
    if not sees_all:
        return {"status": "ok" if trouble is None and not late else "in trouble"}
    return {
        "status": status,
        "trouble": trouble,
        "listening": is_listening(app_state),
        "deaf_nodes": app_state.ledger.deaf(app_state.clock.now_ms()),
        "connections": app_state.connections,
        "waiting_to_be_stored": app_state.recorder.waiting,
        "rejected_by_store": app_state.recorder.rejected,
        "store_retries": app_state.recorder.retries,
        "refused_logins": app_state.passwords.refused,
        "duties": {
            duty.name: {
                "every_s": duty.every_s,
                "age_s": round(duty.age_s, 1),
                "failures": duty.failures,
                "late": duty.is_late,
            }
            for duty in duties
        },
        "upkeep": {"here": since_ms is not None, "since": None if since_ms is None else iso_utc(since_ms)},
        "clock": {
            "steps": [{"at": iso_utc(step.at_ms), "by_ms": step.by_ms} for step in app_state.verified.steps()[-STEPS:]],
            "unverified_ms": app_state.verified.unverified_ms,
        },
        "counters": asdict(app_state.counters),
    }
