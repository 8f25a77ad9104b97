"""What a heartbeat tells: one row for each value, from its key on the wire to the words for people. Pure.

wire.py decodes by this table, the HTTP interface (web/view.py) gives every value under its name, and the dashboard and the
facts for support (web/dashboard.py) show those that have a label, in this order. A new value takes a row here, a row in
tests/samples/schema.toml and a golden sample. (The pattern is that of Home Assistant's entity descriptions, for example
SENSOR_TYPES of its wallbox integration.)
"""

from typing import Any, NamedTuple

from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

NO_CSQ = 99  # the modem's "not known"
PASS_ABOVE_CSQ = 14  # the installer's verdict (modem/signal.py): 14 itself does not pass


class Value(NamedTuple):
    """One value. `unit`, `per` and `format` are for people; the interface gives the number as it came."""

    key: str  # on the wire
    name: str  # in the interface; a field of wire.Heartbeat where our own rules ask for it
    type: str  # of wire.CHECKS
    label: str | None = None  # on the pages; None: not among the facts there
    unit: str = ""
    per: int = 1  # so many on the wire are one `unit`
    format: str = ",.0f"  # of the number, as Python's format() has it
    zero: bool = True  # whether 0 is worth a line
    wide: bool = False  # its words take the width of the page


HEARTBEAT = (
    Value("s", "state", "text"),  # the heading of the dashboard
    Value("a", "amps", "number", label=N_("Current offered"), unit="A", format="g", zero=False),
    Value("w", "watts", "number"),  # beside the heading
    Value("e", "total_wh", "count", label=N_("Meter"), unit="kWh", per=1000, format=",.1f"),
    Value("q", "csq", "csq", label=N_("Mobile signal")),
    Value("o", "operator", "text"),  # beside the signal
    Value("l", "allowed_amps", "number"),  # in the second heading, as `y`, `u`, `i` and `r`: presentation/in_force.py
    Value("y", "limited_by", "text", label=N_("Current limited by"), wide=True),
    Value("u", "limited_until_s", "time"),  # beside `limited_by`
    Value("i", "also_in_force", "names"),
    Value("r", "random_delay_s", "count"),
    Value("m", "mode", "text", label=N_("Mode"), wide=True),
    Value("f", "faults", "names"),  # a card of its own
    Value("h", "troubles", "names"),  # likewise
    Value("d", "records_dropped", "count"),  # likewise
    Value("p", "parts_failed", "count"),  # likewise
    Value("z", "interval_s", "count"),  # until the next heartbeat: "late" beside the last contact
    Value("x", "loop_worst_ms", "count"),
    Value("v", "new_version", "text"),  # of the firmware, where it has changed (store/roll_out_reports.py)
    Value(
        "c", "wrong_installer_codes", "count", label=N_("Wrong installer codes on its console"), zero=False, wide=True
    ),
)


def in_words(value: Value, raw: Any) -> str | None:
    """What people read; None where there is nothing to say."""
    if raw is None or (raw == 0 and not value.zero):
        return None
    if isinstance(raw, bool):
        return _("yes") if raw else _("no")
    if isinstance(raw, int | float):
        return f"{formats.as_told(raw / value.per, value.format)} {value.unit}".rstrip()
    return ", ".join(raw) if isinstance(raw, list) else str(raw)
