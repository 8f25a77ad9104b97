"""Where Smartcar calls us: nobody logs in here, the signature says who it is."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from cloud_bridge.vehicles.webhooks import NoEvent, NotSigned, take_in
from cloud_bridge.web.security.access import StateDep

router = APIRouter(include_in_schema=False)


@router.post("/api/webhooks/smartcar")
async def smartcar(request: Request, app_state: StateDep) -> dict[str, Any]:
    """200 once it is stored; anything else makes Smartcar send it again."""
    body = await request.body()
    try:
        return await run_in_threadpool(take_in, app_state.accounts, body, request.headers.get("SC-Signature", ""))
    except NotSigned:
        raise HTTPException(401, "the signature is not right") from None
    except NoEvent:
        raise HTTPException(400, "this is no event of Smartcar's") from None
