"""Registration at the bridge, over HTTPS (cloud_bridge/web/api/README.md). The request can be repeated."""

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hil_tests.station.errors import StationTrouble

WITHIN_S = 30
MOST_BYTES = 65_536
REASONS = {
    401: "the bridge does not accept the station's token: create one with `token add --scope register`",
    403: "the station's token may not register: create one with `token add --scope register`",
}


class Bridge:
    """`token` is only sent in a header. Redirects are not followed, because they would forward it."""

    def __init__(self, address: str, token: str, authority: Path | None = None) -> None:
        self._address, self._token = address, token
        try:
            context = ssl.create_default_context(cafile=authority)
        except (OSError, ssl.SSLError) as error:
            raise StationTrouble(f"{authority}: {error}") from None
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect)

    def register(self, serial: str, secret_sha256: str, claim_code: str) -> str:
        """Register the unit, unless it is registered with the same hashes. Return the page for claiming it. Raises
        StationTrouble."""
        body = json.dumps({"secret_sha256": secret_sha256, "claim_code": claim_code}).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        url = f"{self._address}/api/charge-points/{serial}"
        request = urllib.request.Request(url, body, headers, method="PUT")
        try:
            with self._opener.open(request, timeout=WITHIN_S) as answer:
                said: dict[str, Any] = json.loads(answer.read(MOST_BYTES))
                return str(said["claim_page"] or f"{self._address}/claim")
        except urllib.error.HTTPError as refused:
            with refused:
                raise StationTrouble(f"{serial} was not registered: {_reason(refused)}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = getattr(error, "reason", error)
            raise StationTrouble(f"{self._address} did not answer for {serial}: {why}. Start again") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Return None: urllib then raises HTTPError for the redirect."""


def _reason(refused: urllib.error.HTTPError) -> str:
    if refused.code in REASONS:
        return REASONS[refused.code]
    try:
        detail = json.loads(refused.read(MOST_BYTES))["detail"]
    except (OSError, ValueError, KeyError, TypeError):
        detail = "no reason given"
    return f"{refused.code}, {detail}"
