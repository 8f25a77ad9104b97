"""The values that the tool reads, and the interface of the sources that provide them."""

from typing import NamedTuple, Protocol

from modem import signal


class Identity(NamedTuple):
    """The charge point's id, the modem's model and its IMEI; None if not known."""

    unit: str | None
    model: str | None
    imei: str | None


class Reading(NamedTuple):
    """A reading of the signal. `csq`: 0..31, or 99 for no reading; `plmn`: of the serving network, or None.

    `name`: the operator's name, if known without a scan. `rsrp_dbm`, `rsrq_db`: of the serving cell; None if it is not LTE, or
    the modem does not report them.
    """

    csq: int
    plmn: str | None
    name: str | None = None
    rsrp_dbm: int | None = None
    rsrq_db: int | None = None

    @property
    def network(self) -> str:
        """The serving network as text for people: "O2 - UK (23410)", or "no network"."""
        if self.plmn is None:
            return "no network"
        return f"{self.name} ({self.plmn})" if self.name else self.plmn

    @property
    def reference(self) -> str:
        """RSRP and RSRQ as text for people; "" if they are not known."""
        return "" if self.rsrp_dbm is None else f"RSRP {self.rsrp_dbm} dBm, RSRQ {self.rsrq_db} dB"


class Sample(NamedTuple):
    """The CSQ of a reading, and its time in seconds since the first."""

    at_s: float
    csq: int


class Network(NamedTuple):
    """An operator in a scan. `csq`: of its strongest cell, None if the modem does not measure other networks; `cells`: count.

    `forbidden`: the SIM bars every cell that was found.
    """

    plmn: str
    name: str | None
    csq: int | None
    cells: int
    forbidden: bool = False

    @property
    def passes(self) -> bool:
        """Whether the signal of this network is sufficient for an installation."""
        return self.csq is not None and not self.forbidden and signal.passes(self.csq)


class Source(Protocol):
    """A source of readings: a modem's port, or a charge point's console. All methods but `leave` may raise CannotTalk."""

    scan_s: tuple[int, int]
    """Duration of a scan, seconds: usual and maximum."""

    hears_lte: bool
    """Whether the modem is known to receive LTE."""

    def identity(self) -> Identity:
        """Return the identity of unit and modem."""

    def reading(self) -> Reading:
        """Return the current signal. Takes about a second; a console without new readings takes up to 5 s."""

    def cell(self) -> str | None:
        """Return location area and cell of the serving cell, hexadecimal: "01F4-2A3B"; None if not known."""

    def networks(self) -> list[Network]:
        """Scan; return all networks, the strongest first. Takes the time of `scan_s`."""

    def leave(self) -> None:
        """Restore changed settings and close the port. Raises nothing."""
