"""The table of heartbeat values: for each value its key on the wire, its name, and how it is shown. Pure.

wire.py decodes by this table, the HTTP interface (web/presentation/view.py) returns every value under its name, and the
dashboard and the facts for support (web/presentation/dashboard.py) show the values that have a label, in this order. A
new value needs a row here, a row in tests/samples/schema.toml and a golden sample. (The pattern is that of Home
Assistant's entity descriptions, such as SENSOR_TYPES of its wallbox integration.)
"""

from typing import Any, NamedTuple

from cloud_bridge.words import N_, formats
from cloud_bridge.words import gettext as _

NO_CSQ = 99  # the modem's "not known"
PASS_ABOVE_CSQ = 14  # the installer's verdict (modem/signal.py): 14 itself does not pass


class Value(NamedTuple):
    """One value. `unit`, `per` and `format` apply to pages; the HTTP interface returns the number as received."""

    key: str  # on the wire
    name: str  # in the HTTP interface; also a field of wire.Heartbeat if our own code uses the value
    type: str  # a key of wire.CHECKS
    label: str | None = None  # on the pages; None if it is not listed there
    unit: str = ""
    per: int = 1  # how many of the wire's unit make one `unit`
    format: str = ",.0f"  # for Python's format()
    zero: bool = True  # whether 0 is shown
    wide: bool = False  # whether its text takes the full width of the page


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
    """Return the text for people, or None if there is nothing to show."""
    if raw is None or (raw == 0 and not value.zero):
        return None
    if isinstance(raw, bool):
        return _("yes") if raw else _("no")
    if isinstance(raw, int | float):
        return f"{formats.as_told(raw / value.per, value.format)} {value.unit}".rstrip()
    return ", ".join(raw) if isinstance(raw, list) else str(raw)
