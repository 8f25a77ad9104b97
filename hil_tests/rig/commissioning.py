"""What a rig says in an installer's place, so that a unit charges with all of its circuit's 32 A."""

import json

STEPS = {"amps": 32, "earth": "TN-C-S", "polarity": True, "rcd_ms": 24, "csq": 21, "boost": "none", "by": "rig"}
COMMISSION = f"commission {json.dumps(STEPS, separators=(',', ':'))}"
