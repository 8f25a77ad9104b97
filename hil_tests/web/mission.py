"""`python -m hil_tests.web.mission`: each sentence of Chargekeeper's mission, beside the words on its pages that fulfil it.

It drives the running product (street.py) over HTTP, as a browser without scripts, and prints a Markdown table. The last column
quotes the pages of this run. Exit code 1 if words that a sentence needs are missing from its page.
"""

import argparse
import asyncio
import html
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hil_tests.demo.browser import Browser
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.modem_process import simulated_modem
from hil_tests.web.street import HOMES, Street, street

VODAFONE = {"plmn": "23415", "name": "vodafone UK"}
TOOL_WITHIN_S = 120
BLOCK = re.compile(r"</?(?:main|section|h\d|p|li|ul|ol|dl|dt|dd|div|nav|form|label|button|summary|tr|td|th|br)\b[^>]*>")
TOOL = "python -m modem report"


class Row(NamedTuple):
    """A sentence of the mission, the page, the lines with the words it needs, and the words that are missing."""

    sentence: str
    page: str
    lines: list[str]
    missing: list[str]


class Reader:
    """Collects the rows. `words` of a sentence are phrases that must each be on a line of the page."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def hold(self, sentence: str, page: str, text: str, words: Sequence[str], without: str = "") -> None:
        lines = lines_of(text)
        found = [line for line in lines if any(phrase in line for phrase in words)]
        missing = [phrase for phrase in words if not any(phrase in line for line in lines)]
        missing += [f"not {without!r}" for line in lines if without and without in line]
        self.rows.append(Row(sentence, page, list(dict.fromkeys(found)), missing))

    def markdown(self) -> str:
        table = ["| sentence | page | what it says |", "| --- | --- | --- |"]
        for row in self.rows:
            said = " / ".join(row.lines).replace("|", "\\|")
            told = f"{said} **MISSING: {', '.join(row.missing)}**" if row.missing else said
            table.append(f"| {row.sentence} | {row.page} | {told} |")
        return "\n".join(table)


def lines_of(text: str) -> list[str]:
    """Return the visible text of a page, one line for each block element; of a terminal, its lines."""
    if "<main" in text:
        text = text[text.index("<main") :]
        text = re.sub(r"<(?:script|style).*?</(?:script|style)>", "", text, flags=re.DOTALL)
        text = BLOCK.sub("\n", " ".join(text.split()))
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]


@contextmanager
def tool(folder: Path) -> Iterator[dict[int, "Future[str]"]]:
    """Run the installer's tool on two simulated modems; yield its final output by CSQ."""
    with ThreadPoolExecutor() as threads:
        yield {csq: threads.submit(_verdict, folder / f"csq{csq}", csq) for csq in (9, 15)}


def _verdict(folder: Path, csq: int) -> str:
    folder.mkdir()
    with simulated_modem(folder / "modem", operators=[{**VODAFONE, "csq": csq}]) as port:
        words = [*TOOL.split()[1:], "--port", str(port), "--seconds", "10", "--out", str(folder / "report.html")]
        done = subprocess.run(
            [sys.executable, *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=TOOL_WITHIN_S, check=False
        )
    return done.stdout


async def read_all(here: Street, reader: Reader) -> None:
    """Read the pages in the order of the mission."""
    place, hold = here.place, reader.hold
    seen = {name: Browser(place.address) for name in ("dora", "hana", "sam", "rita", "lou", "carl", "sue")}
    try:
        for name, browser in seen.items():
            await browser.log_in(name, place.logins[name])
        board = await seen["dora"].read("/")
        hold(
            "Last contacted, with the time, comes first",
            "driver, /",
            board,
            ("Last contacted", "ago", "GMT", "Working"),
        )
        if lines_of(board)[0] != "Last contacted":
            reader.rows[-1].missing.append("it is not the first line")
        silent = await seen["sam"].read("/")
        steps = ("We have not heard from your charger for", "at the consumer unit or its isolator", "Wait", "again.")
        hold("After more than 30 minutes: an error, and how to restart it", "driver, /", silent, steps)
        charges_on = ("You can still charge. Without its connection it goes on as a standard charger",)
        hold("Without its connection it goes on as a standard charger", "driver, /", silent, charges_on)
        hold(
            "It may need a better signal: get help, in one tap",
            "driver, /",
            silent,
            ("It does not come back, or drops out again?", "may need a boost", "Get help with this charger"),
        )
        unit = f"/charge-points/{HOMES['sam']}"
        await seen["sam"].send_form(f"{unit}/raise", "/", text="Still nothing after the restart.")
        hold(
            "People can message support",
            "driver, after it",
            seen["sam"].page,
            ("Still nothing", "We have your message"),
        )
        inbox = await seen["sue"].read("/support")
        hold("Support sees who waits", "support, /support", inbox, (f"sam, {HOMES['sam']}", "Waits for an answer"))
        raising = await seen["sue"].read(f"{unit}/jobs")
        hold(
            "Raise it with the installer",
            "support, .../jobs",
            raising,
            ("Installer: ingo", "The driver writes:", "Raise it"),
        )
        red = await seen["rita"].read("/")
        hold(
            "A red light is a problem with the charger, never with its connection",
            "driver, /",
            red,
            (
                "Your charger shows a red light",
                "Earth leakage (AC)",
                "Red always means a problem with the charger itself",
            ),
        )
        lost = await seen["lou"].read("/")
        hold(
            "The car's account is lost: an error that says what to do",
            "driver, /",
            lost,
            ("We have lost access to Zoe", "Press Refresh. If that does not help, connect the vehicle again"),
        )
        await way_back(seen["lou"], reader)
        hana = await seen["hana"].read("/")
        hold("A charger alone", "driver, /", hana, ("Vehicle connected, waiting", HOMES["hana"]), without="Battery")
        carl = await seen["carl"].read("/")
        words = ("Last heard from your car account", "Leaf", "37 %", "Have a charger? Claim it")
        hold("A car alone", "driver, /", carl, words, without="Last contacted")
        hold("Both", "driver, /", board, ("Last contacted", "Charging", "7.4 kW", "Blue", "64 %"))
    finally:
        for browser in seen.values():
            await browser.__aexit__()


async def way_back(lou: Browser, reader: Reader) -> None:
    """Follow both ways back to a car account: Refresh, and Account."""
    hold = reader.hold
    await lou.send_form("/account/vehicles/2/refresh", "/")
    hold("One way back: Refresh", "driver, after Refresh", lou.page, ("Connect your Vehicle",))
    hold("The other way: Account", "driver, /account", await lou.read("/account"), ("Vehicle Details",))
    hold("> Vehicle Details", "driver, /account/vehicles", await lou.read("/account/vehicles"), ("Zoe", "Access lost"))
    vehicle = await lou.read("/account/vehicles/2")
    hold("> the vehicle", "driver, /account/vehicles/2", vehicle, ("Connect your Vehicle",))
    connect = await lou.read("/account/vehicles/2/connect")
    hold("> Connect your Vehicle", "driver, .../connect", connect, ("Connect your Vehicle", "Continue"))
    await lou.send_form("/account/vehicles/2/connect", provider="lou")
    await lou.consent()
    hold("> Continue, and the car maker's Allow", "driver, after it", lou.page, ("Your vehicle is connected", "81 %"))
    hold("And the error is gone", "driver, /", await lou.read("/"), ("Zoe", "81 %"), without="We have lost access")


def main() -> int:
    argparse.ArgumentParser(prog="python -m hil_tests.web.mission", description=__doc__).parse_args()
    reader = Reader()
    with tempfile.TemporaryDirectory(prefix="chargekeeper-mission-") as name, tool(Path(name)) as said:
        with street(Path(name) / "street") as here:
            here.settle()
            asyncio.run(read_all(here, reader))
        weak, good = said[9].result(), said[15].result()
        reader.hold("More than CSQ 14 passes", f"installer, `{TOOL}`", good, ("PASS",), without="FAIL")
        reader.hold("If not, a signal boost is offered", f"installer, `{TOOL}`", weak, ("FAIL", "Signal booster"))
    print(reader.markdown())
    return 1 if any(row.missing for row in reader.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
