"""The planted mistakes, in all parts of the product: each is plausible, and each would do harm."""

from hil_tests.years.planting import Plant

PLANTS = (
    # Charging.
    Plant(
        "a light that shows latched faults only",
        "firmware/charging/led.py",
        "    if faults:\n        colour, rhythm = _fault",
        "    if any(fault in NEEDS_PERSON for fault in faults):\n        colour, rhythm = _fault",
    ),
    Plant(
        "a limit in seconds where milliseconds are meant",
        "firmware/commands.py",
        "(command.exp - unit.wall_clock.now()) * 1000",
        "(command.exp - unit.wall_clock.now())",
    ),
    Plant(
        "the highest claim instead of the lowest",
        "firmware/charging/limits.py",
        "        if claim.amps < amps:",
        "        if claim.amps > amps:",
    ),
    Plant(
        "a leak that has to last for a second",
        "firmware/charging/faults.py",
        'Fault("rcd_ac", DANGER, _rcd_ac, 0, 1000, PROVEN)',
        'Fault("rcd_ac", DANGER, _rcd_ac, 1000, 1000, PROVEN)',
    ),
    Plant(
        "no fault clears itself",
        "firmware/charging/faults.py",
        "return bool(self.tries >= self.fault.tries)",
        "return bool(self.tries <= self.fault.tries)",
    ),
    Plant(
        "a withdrawn offer that never returns",
        "firmware/charging/offer_limiter.py",
        "return now_ms - self._withdrawn_since_ms < DUTY_CHANGE_MS",
        "return self._withdrawn_since_ms + DUTY_CHANGE_MS > 0 or now_ms < 0",
    ),
    Plant(
        "charge now for all later sessions",
        "firmware/charging/claims.py",
        "        if self.override != session:\n            self.override = None\n",
        "",
    ),
    Plant(
        "a random delay in minutes",
        "firmware/charging/delay.py",
        "self._until_ms = now_ms + seconds * 1000",
        "self._until_ms = now_ms + seconds * 60000",
    ),
    # Link.
    Plant(
        "a heartbeat every ten intervals",
        "firmware/link/heartbeat_timer.py",
        ">= interval_s * 1000",
        ">= interval_s * 10000",
    ),
    Plant(
        "the longest backoff instead of the shortest",
        "firmware/link/backoff.py",
        "return draw(0, min(last_ms, BACKOFF_FIRST_MS << min(failures, 10)))",
        "return draw(0, max(last_ms, BACKOFF_FIRST_MS << max(failures, 10)))",
    ),
    Plant("a ping each minute", "firmware/link/idle_span.py", "FIRST_MS = 1200000", "FIRST_MS = 60000"),
    Plant(
        "a pause whose deadline is not checked",
        "firmware/link/uplink.py",
        "            while self._clock.now_ms() < until_ms and not (self._stop or self.scan_wanted):\n"
        "                self._watch(min(POLL_MS, until_ms - self._clock.now_ms()))",
        "            while not (self._stop or self.scan_wanted):\n                self._watch(POLL_MS)",
    ),
    Plant(
        "a command that is forgotten at once",
        "firmware/commands.py",
        "            record_file.save(self._path, done)\n",
        "            pass\n",
    ),
    Plant("an end in milliseconds", "firmware/link/commands.py", "if time_s >= end_s:", "if time_s >= end_s * 1000:"),
    Plant(
        "a keepalive in minutes",
        "firmware/link/uplink.py",
        "return min(2 * heartbeat_s, max(KEEPALIVE_S, heartbeat_s + KEEPALIVE_SPARE_S))",
        "return min(2 * heartbeat_s, max(KEEPALIVE_S, heartbeat_s + KEEPALIVE_SPARE_S)) // 60",
    ),
    # Storage.
    Plant("a limit that no restart survives", "firmware/persistence.py", "len(stored) != 3 or", "len(stored) != 4 or"),
    Plant("a change that stays new", "firmware/persistence.py", "        self._essence = essence\n", ""),
    Plant(
        "an outbox that only counts up",
        "firmware/storage/outbox.py",
        "        self._unlink(name)\n        self._stored -= 1\n",
        "        self._unlink(name)\n",
    ),
    Plant(
        "a record that the flash refuses is lost",
        "firmware/storage/outbox.py",
        "            self._memory.append(record)\n",
        "",
    ),
    Plant(
        "a boot that is not counted",
        "firmware/storage/boots.py",
        "number, watchdogs = number + 1,",
        "number, watchdogs = number,",
    ),
    Plant("a file that is appended to", "firmware/storage/record_file.py", 'open(path, "wb")', 'open(path, "ab")'),
    # Modem.
    Plant("a budget that forgets today", "modem/budget.py", "if now_s - time < DAY_S]", "if now_s - time > DAY_S]"),
    Plant(
        "nothing received is counted",
        "modem/traffic.py",
        "        if count:\n            self.air_bytes += count +",
        "        if not count:\n            self.air_bytes += count +",
    ),
    Plant("poor after fifteen hours", "modem/network_history.py", "POOR_S = 15 * 60", "POOR_S = 15 * 3600"),
    Plant(
        "switches only to networks that are not strong",
        "modem/roaming.py",
        "or not STRONG_CSQ <= known.csq_of(best) < NO_READING",
        "or not known.csq_of(best) < STRONG_CSQ",
    ),
    Plant(
        "a subscription left behind by each connection",
        "modem/stream.py",
        "            self._modem.unsubscribe(self._subscription)\n",
        "",
    ),
    # Contact.
    Plant(
        "silent after three minutes",
        "cloud_bridge/contact.py",
        "SILENT_AFTER_MS = 30 * 60 * 1000",
        "SILENT_AFTER_MS = 30 * 60 * 100",
    ),
    Plant(
        "our own outage counts as silence",
        "cloud_bridge/contact.py",
        "(since_ms if self.last_ok_ms is None or since_ms <= OUTAGE_AFTER_MS else 0)",
        "since_ms",
    ),
    # Ingest and store.
    Plant(
        "uncommitted messages are acknowledged",
        "cloud_bridge/store/recorder.py",
        "                    return [*refused, *part, *chain.from_iterable(reversed(pending))]\n",
        "                    self._call_back(part, [])\n                    return []\n",
    ),
    Plant(
        "a silence that never ends",
        "cloud_bridge/store/transitions.py",
        "contacts.c.silent_ms.is_not(None), contacts.c.last_contact_ms != contacts.c.silent_ms",
        "contacts.c.silent_ms.is_not(None), contacts.c.last_contact_ms < contacts.c.silent_ms",
    ),
)
