"""The process that refreshes grants: `python -m cloud_bridge.vehicles.tokens.refresh_worker`, started by refresh_client.py.

It runs in its own session and ignores all signals that can be ignored. If the process that started it is killed, its input
ends; it then finishes the refreshes in progress and exits. If the worker itself is killed, its client starts another at once
(refresh_client.py), or, without a client, the poller repeats the refresh after the restart.

The protocol is one JSON object on each line. Input: first the location of the store, `{"folder", "database"}`, then orders,
`{"id", "grant", "generation"}`. Output: `{"id", ...}` with the fields of Outcome.
"""

import json
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from cloud_bridge.clock import SystemClock
from cloud_bridge.errors import BridgeError
from cloud_bridge.store.database import open_database
from cloud_bridge.vehicles.providers.catalogue import read_catalogue
from cloud_bridge.vehicles.providers.provider_errors import Trouble
from cloud_bridge.vehicles.tokens.keys import key_source
from cloud_bridge.vehicles.tokens.token_refresh import Outcome, TokenRefresh
from cloud_bridge.vehicles.tokens.vault import Vault

AT_ONCE = 4

_log = logging.getLogger(__name__)


def main() -> None:
    """Run until the input ends. Blocks."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    first = sys.stdin.readline()
    if not first:
        return  # the parent was killed before it sent the location
    where = json.loads(first)
    folder = Path(where["folder"])
    database = open_database(where["database"] or folder)
    vault, catalogue = Vault(key_source(folder, os.environ)), read_catalogue(folder, os.environ)
    token_refresh = TokenRefresh(database, vault, catalogue, SystemClock())
    output = Lock()

    def work(order: dict[str, Any]) -> None:
        outcome = outcome_of(token_refresh, order["grant"], order["generation"])
        with output:
            _answer({"id": order["id"]} | outcome._asdict())

    with ThreadPoolExecutor(AT_ONCE) as workers:  # at the end of the input, waits for the refreshes in progress
        for line in sys.stdin:
            workers.submit(work, json.loads(line))
    database.close()


def outcome_of(token_refresh: TokenRefresh, grant_id: str, generation: int) -> Outcome:
    """Return an outcome in every case. Without one, the client would wait for refresh_client.ANSWER_S without knowing why."""
    try:
        return token_refresh.refresh(grant_id, generation)
    except BridgeError:
        return Outcome(Trouble.NOT_SET_UP)  # the key is missing
    except SQLAlchemyError:
        return Outcome(Trouble.OUTAGE)  # of our own store
    except Exception:  # the outermost code of a thread: log unexpected errors with their traceback
        _log.exception("a refresh ended in an unexpected error")
        return Outcome(Trouble.OUTAGE)


def _answer(message: dict[str, Any]) -> None:
    try:
        print(json.dumps(message), flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  nobody listens any more; the store has it all


if __name__ == "__main__":
    main()
