"""`python -m tests.cloud_bridge.openapi`: accept the description of the HTTP API as it is now.

It writes openapi.json beside this file, with which test_openapi.py compares the running API.
"""

import json
import tempfile
from pathlib import Path

from tests.cloud_bridge.running import running_bridge

AGREED = Path(__file__).with_suffix(".json")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_bridge(Path(folder)) as bridge:
        described = bridge.client.get("/openapi.json").json()
    AGREED.write_text(json.dumps(described, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
