"""Wire format v1: what the unit tells, as the bytes of one MQTT payload (tests/samples/schema.toml). Pure.

JSON without spaces, keys in the order of the samples. A value that is None is left out: a missing key is unknown.
"""

import json
from collections import OrderedDict

WISHED = ("load_manager", "schedule", "cloud")  # sources whose current `a` does not tell while none is offered

if False:  # for mypy alone
    from firmware.charging.exchange import Report
    from firmware.charging.limits import InForce
    from firmware.charging.session import Record

USUAL_INTERVAL_S = 300  # of heartbeats, which need not say it


def heartbeat(
    sequence: int,
    boot: int,
    time_s: "int | None",
    report: "Report",
    csq: int,
    operator: "str | None",
    loop_worst_ms: int,
    troubles: "tuple[str, ...]" = (),
    dropped: int = 0,
    failed_parts: int = 0,
    wrong_codes: int = 0,
    in_force: "InForce | None" = None,
    interval_s: int = USUAL_INTERVAL_S,
    version: "str | None" = None,
) -> bytes:
    """The state now; `report` is charging.controller.Report. `troubles` are names of what is not well with the unit though
    it charges, `dropped` counts the records that were given up since boot, `failed_parts` the parts of the firmware that
    raised, `wrong_codes` the wrong installer codes since the last right one; all are left out while there are none.
    `interval_s`: until the next heartbeat, if nothing changes. `version` of the firmware, None if the cloud knows it."""
    ruling = report.ruling
    return _encode(
        ("n", sequence),
        ("b", boot),
        ("t", time_s),
        ("s", report.state),
        ("m", "smart" if report.mode == "link_lost" else report.mode),  # lost for less than the grace: still smart
        ("q", csq),
        ("o", operator),
        ("a", report.amps),
        ("l", ruling.amps if ruling.source in WISHED else None),
        ("y", ruling.source),
        ("u", ruling.ends_s),
        *_beside(in_force),
        ("w", report.power_w),
        ("e", report.total_wh),
        ("f", list(report.faults)),
        ("x", loop_worst_ms),
        ("h", list(troubles) or None),
        ("d", dropped or None),
        ("p", failed_parts or None),
        ("c", wrong_codes or None),
        ("z", None if interval_s == USUAL_INTERVAL_S else interval_s),
        ("v", version),
    )


def event(sequence: int, boot: int, time_s: "int | None", kind: str, details: "dict[str, object]") -> bytes:
    """One journal record: `details` is a dict of plain values."""
    return _encode(("n", sequence), ("b", boot), ("t", time_s), ("k", kind), ("d", details))


def session(
    sequence: int, boot: int, time_s: "int | None", start_s: "int | None", end_s: "int | None", record: "Record"
) -> bytes:
    """One session; `record` is charging.session.Record, `start_s` and `end_s` epoch seconds or None."""
    return _encode(
        ("n", sequence),
        ("b", boot),
        ("t", time_s),
        ("t0", start_s),
        ("t1", end_s),
        ("s", (record.end_ms - record.start_ms) // 1000),
        ("e", record.energy_wh),
        ("y", record.why),
        ("i", record.number),
    )


def result(
    sequence: int,
    boot: int,
    time_s: "int | None",
    command_id: "str | None",
    ok: bool,
    why: "str | None",
    in_force: "InForce | None" = None,
) -> bytes:
    """The answer to a command; `command_id` None where it had none that can be read, `why` None where all went well,
    `in_force` None where the command is no wish about the current."""
    ruling: tuple[tuple[str, object], ...] = ()
    if in_force:
        amps, source, _, ends_s = in_force.ruling
        ruling = (("l", amps), ("by", source), ("u", ends_s)) + _beside(in_force)
    return _encode(("n", sequence), ("b", boot), ("t", time_s), ("id", command_id), ("ok", ok), ("y", why), *ruling)


def timed(kind: str, payload: bytes, time_s: int) -> bytes:
    """`payload`, written while the time was unknown, with the `time_s` at which it happened."""
    said = json.loads(payload)
    said["t"] = time_s
    if kind == "session":
        said["t0"], said["t1"] = time_s - said["s"], time_s
    return _encode(*said.items())


def _beside(in_force: "InForce | None") -> "tuple[tuple[str, object], ...]":
    """What is in force beside the ruling; left out while there is nothing."""
    return (("i", list(in_force.also) or None), ("r", in_force.delay_s or None)) if in_force else ()


def _encode(*pairs: "tuple[str, object]") -> bytes:
    return json.dumps(
        OrderedDict((key, value) for key, value in pairs if value is not None), separators=(",", ":")
    ).encode()
