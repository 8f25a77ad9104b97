"""Random outages of the cloud in virtual time: is a unit shown as silent that sent whenever the cloud listened?"""

import random

from cloud_bridge.contact import OUTAGE_AFTER_MS, Contact, StoredContact, UptimeLedger, judge, on_clock_of_now

OUTAGES = 200
SHORTEST_MS, LONGEST_MS = 1000, 60 * 60 * 1000
HEARTBEAT_MS = 300_000
CANARY_MS = 5000
UNITS = 5
SEED = 20260101
STEP_MS = 5000


def outages() -> bool:
    """Lose heartbeats during outages, and none after; judge every five seconds. Return True without false silence."""
    dice = random.Random(SEED)
    ledger = UptimeLedger()
    last: list[StoredContact | None] = [None] * UNITS
    next_ms = [dice.randrange(HEARTBEAT_MS) for _ in range(UNITS)]
    now_ms = canary_ms = 0
    false_silence = looks = 0
    for _ in range(OUTAGES):
        up_until_ms = now_ms + dice.randrange(60_000, 40 * 60_000)
        down_until_ms = up_until_ms + dice.randrange(SHORTEST_MS, LONGEST_MS)
        while now_ms < down_until_ms:
            now_ms += STEP_MS
            is_up = now_ms < up_until_ms
            if is_up and now_ms >= canary_ms:
                ledger.heartbeat_ok(now_ms)
                canary_ms = now_ms + CANARY_MS
            for unit in range(UNITS):
                if now_ms >= next_ms[unit]:
                    next_ms[unit] = now_ms + HEARTBEAT_MS
                    if is_up:
                        last[unit] = StoredContact(now_ms, ledger.listened_at_most_ms(now_ms), now_ms)
            listened_ms = ledger.listened_ms(now_ms)
            for stored in last:
                looks += 1
                heard = None if stored is None else on_clock_of_now(stored, listened_ms, now_ms)
                false_silence += judge(heard, now_ms).contact is Contact.SILENT
    print(
        f"{OUTAGES} outages of ours, 1 s to 60 min, {UNITS} units, {looks:,} looks: {false_silence} false silence",
        end="",
    )
    print(f" (seed {SEED}; an outage under {OUTAGE_AFTER_MS // 1000} s leaves no gap, and needs none)")
    return false_silence == 0
