"""Parses the report of the installer's tool (`python -m modem report`), from JSON or from the HTML page that contains it.
Pure. It returns values, and the uploaded text itself is never shown as a page.

The tool's side is modem/installer/report.py. tests/samples/reports is the contract for both.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cloud_bridge.errors import BridgeError
from cloud_bridge.values import PASS_ABOVE_CSQ
from cloud_bridge.words import gettext as _

FAMILY = "chargekeeper signal report"
BEGIN, END = '<template id="signal-report">', "</template>"  # around the JSON in the tool's page
MAX_NETWORKS = 64
PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"


class BadReport(BridgeError):
    """The text claims to be a signal report but is not a valid one."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a text that does not print")
    return text


Csq = Annotated[int, Field(ge=0, le=31)]
Word = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Text = Annotated[str, Field(max_length=1000), AfterValidator(_printable)]


class _Values(BaseModel):
    """Base of the models: strict types; unknown fields of newer tools are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class CsqRange(_Values):
    min: Csq | None
    median: Annotated[float, Field(ge=0, le=31)] | None
    max: Csq | None


class HeardNetwork(_Values):
    plmn: Word
    name: Word | None
    csq: Csq | None
    forbidden: bool
    passes: bool


class SignalReport(_Values):
    format: Literal["chargekeeper signal report 1"]
    unit: Word | None
    model: Word | None
    place: Text
    time: AwareDatetime
    operator: Word | None
    cell: Word | None
    verdict: Literal["pass", "fail", "unknown"]
    csq: CsqRange
    rsrp_dbm: Annotated[int, Field(ge=-200, le=0)] | None
    rsrq_db: Annotated[int, Field(ge=-50, le=50)] | None
    readings: Annotated[int, Field(ge=0, le=100_000)]
    networks: Annotated[list[HeardNetwork], Field(max_length=MAX_NETWORKS)] | None
    recommendation: Word
    advice: Text

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        median = self.csq.median
        passes = None if median is None else median > PASS_ABOVE_CSQ
        if self.verdict != UNKNOWN and passes is not (self.verdict == PASS):
            raise ValueError("the verdict is not that of the readings")
        return self


def read_report(text: str) -> SignalReport | None:
    """Parse a report. Return None if the text is something else. Raises BadReport."""
    begin = text.find(BEGIN)
    end = text.find(END, begin) if begin >= 0 else -1
    written = text[begin + len(BEGIN) : end] if end >= 0 else text
    if begin < 0 and not (text.lstrip("\ufeff \t\r\n").startswith("{") and FAMILY in text):
        return None
    try:
        return SignalReport.model_validate_json(written.lstrip("\ufeff \t\r\n"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        if where == "format":
            raise BadReport(_("it was written by another version of the tool")) from None
        if where:
            raise BadReport(_("its value {name} is not valid").format(name=where)) from None
        raise BadReport(_("it was cut off or changed")) from None
