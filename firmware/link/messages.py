"""Wire format v1: encodes the messages of the unit, each as one MQTT payload (tests/samples/schema.toml). Pure.

The payload is JSON without spaces, with its keys in the order of the samples. Values that are None are omitted: a missing key
means unknown.
"""

import json
from collections import OrderedDict

WISHED = ("load_manager", "schedule", "cloud")  # sources whose current is also sent in `l`, as `a` may be 0 meanwhile

if False:  # for mypy alone
    from firmware.charging.exchange import Report
    from firmware.charging.limits import InForce
    from firmware.charging.session import Record

USUAL_INTERVAL_S = 300  # interval of heartbeats that is omitted from the message


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
    """Return a heartbeat: the current state. `report`: a charging.exchange.Report.

    `troubles`: names of troubles that do not stop the charging; `dropped`: records dropped since the start; `failed_parts`:
    number of firmware parts that raised; `wrong_codes`: wrong installer codes since the last correct one. These are omitted if
    empty or 0. `interval_s`: time to the next heartbeat if nothing changes. `version`: of the firmware, None if the cloud has
    acknowledged it before.
    """
    ruling = report.ruling
    return _encode(
        ("n", sequence),
        ("b", boot),
        ("t", time_s),
        ("s", report.state),
        ("m", "smart" if report.mode == "link_lost" else report.mode),  # smart until the grace period is over
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
    """Return an event of the journal. `details`: a dict of plain values."""
    return _encode(("n", sequence), ("b", boot), ("t", time_s), ("k", kind), ("d", details))


def session(
    sequence: int, boot: int, time_s: "int | None", start_s: "int | None", end_s: "int | None", record: "Record"
) -> bytes:
    """Return a session that has ended. `record`: a charging.session.Record; `start_s`, `end_s`: epoch seconds or None."""
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
    """Return the result of a command. `command_id`: None if the command had no valid ID; `why`: reason of a refusal, None if
    it was carried out; `in_force`: None if the command does not concern the current.
    """
    ruling: tuple[tuple[str, object], ...] = ()
    if in_force:
        amps, source, _, ends_s = in_force.ruling
        ruling = (("l", amps), ("by", source), ("u", ends_s)) + _beside(in_force)
    return _encode(("n", sequence), ("b", boot), ("t", time_s), ("id", command_id), ("ok", ok), ("y", why), *ruling)


def timed(kind: str, payload: bytes, time_s: int) -> bytes:
    """Return `payload`, which was encoded while the time was unknown, with `time_s`, the time of its event."""
    said = json.loads(payload)
    said["t"] = time_s
    if kind == "session":
        said["t0"], said["t1"] = time_s - said["s"], time_s
    return _encode(*said.items())


def _beside(in_force: "InForce | None") -> "tuple[tuple[str, object], ...]":
    """Return the keys for the values in force beside the ruling; None values are omitted later."""
    return (("i", list(in_force.also) or None), ("r", in_force.delay_s or None)) if in_force else ()


def _encode(*pairs: "tuple[str, object]") -> bytes:
    return json.dumps(
        OrderedDict((key, value) for key, value in pairs if value is not None), separators=(",", ":")
    ).encode()
