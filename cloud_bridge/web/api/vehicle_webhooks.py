"""Webhooks that car makers call. They have no login: the signature of a delivery authenticates the caller."""

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from cloud_bridge.vehicles.providers.provider import BadSignature, MalformedDelivery
from cloud_bridge.vehicles.webhooks import take_in
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.post("/api/webhooks/{provider}")
async def deliver(request: Request, app_state: StateDep, provider: str) -> dict[str, str]:
    """Return 200 once the delivery is committed. Any other status makes the provider send it again.

    A provider that is not configured gets the same 401 as a wrong signature, so that callers cannot find out which providers
    are configured.
    """
    body = await request.body()  # bounded by SecurityHeaders.MAX_BODY_BYTES
    try:
        return await run_in_threadpool(take_in, app_state.accounts, provider, request.headers, body)
    except BadSignature:
        raise HTTPException(401, "the signature is not right") from None
    except MalformedDelivery:
        raise HTTPException(400, "not an event that the provider documents") from None
