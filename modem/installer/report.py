"""The installer's report for the customer: an HTML page, and a JSON file with the same contents."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from modem import signal
from modem.installer.advice import NO_2G, NO_NETWORK, Advice
from modem.installer.measuring import Measurement
from modem.installer.plot import plot
from modem.installer.readings import Identity, Network

FORMAT = "chargekeeper signal report 1"


class Badge(NamedTuple):
    """The result in two words; `colour` is the CSS class of a verdict."""

    words: str
    colour: str


BADGES = {
    signal.PASS: Badge("PASS", "pass"),
    signal.FAIL: Badge("FAIL", "fail"),
    signal.UNKNOWN: Badge("NO VERDICT", "unknown"),
}
NOTHING_RECEIVED = {NO_2G: Badge("NO 2G HERE", "fail"), NO_NETWORK: Badge("NO NETWORK HERE", "fail")}


def contents(
    identity: Identity,
    place: str,
    taken: datetime,
    measurement: Measurement,
    cell: str | None,
    networks: list[Network] | None,
    advice: Advice,
) -> dict[str, Any]:
    """Return the contents of the report as JSON values. `taken`: time of the measurement, with its time zone.

    `networks`: None if no scan was made.
    """
    verdict = measurement.verdict
    return {
        "format": FORMAT,
        "unit": identity.unit,
        "model": identity.model,
        "imei": identity.imei,
        "place": place,
        "time": taken.isoformat(timespec="seconds"),
        "operator": measurement.latest.plmn,
        "cell": cell,
        "verdict": verdict.verdict,
        "csq": {"min": verdict.minimum, "median": verdict.median, "max": verdict.maximum},
        "rsrp_dbm": measurement.latest.rsrp_dbm,
        "rsrq_db": measurement.latest.rsrq_db,
        "readings": verdict.samples,
        "pass_above_csq": signal.PASS_ABOVE_CSQ,
        "samples": [{"at_s": sample.at_s, "csq": sample.csq} for sample in measurement.samples],
        "networks": None if networks is None else [_network(network) for network in networks],
        "recommendation": advice.do,
        "advice": advice.text,
    }


def page(result: dict[str, Any]) -> str:
    """Return the HTML page of `contents`, with inline images.

    The page also embeds the contents as invisible JSON. The cloud reads only that JSON (cloud_bridge/support/signal_report.py)
    and never displays an uploaded page.
    """
    environment = Environment(
        loader=PackageLoader("modem.installer", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    samples = [(sample["at_s"], sample["csq"]) for sample in result["samples"]]
    names = {network["plmn"]: network["name"] for network in result["networks"] or []}
    nothing_received = None if result["readings"] else NOTHING_RECEIVED.get(result["recommendation"])
    return environment.get_template("report.html").render(
        result=result,
        badge=nothing_received or BADGES[result["verdict"]],
        plot=plot(samples, result["csq"]["median"]),
        when=datetime.fromisoformat(result["time"]),
        serving=names.get(result["operator"]),
        dbm=signal.dbm_from_csq,
        full=signal.CSQ_MAX,
    )


def write(result: dict[str, Any], path: Path) -> tuple[Path, Path]:
    """Write the page to `path`, and the JSON next to it with the suffix .json. Return both paths. Raises OSError."""
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.write_text(page(result), encoding="utf-8")
    return path, beside


def _network(network: Network) -> dict[str, Any]:
    return {**network._asdict(), "passes": network.passes}
