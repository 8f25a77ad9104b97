"""The `commission` command a rig sends in the installer's place, so that the unit offers the full 32 A of its circuit."""

import json

STEPS = {"amps": 32, "earth": "TN-C-S", "polarity": True, "rcd_ms": 24, "csq": 21, "boost": "none", "by": "rig"}
COMMISSION = f"commission {json.dumps(STEPS, separators=(',', ':'))}"
