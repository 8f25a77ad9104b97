"""The values that the tool reads, and the interface of their sources."""

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
    the modem does not say.
    """

    csq: int
    plmn: str | None
    name: str | None = None
    rsrp_dbm: int | None = None
    rsrq_db: int | None = None

    @property
    def network(self) -> str:
        """The serving network, for people."""
        if self.plmn is None:
            return "no network"
        return f"{self.name} ({self.plmn})" if self.name else self.plmn

    @property
    def reference(self) -> str:
        """RSRP and RSRQ, for people; "" without them."""
        return "" if self.rsrp_dbm is None else f"RSRP {self.rsrp_dbm} dBm, RSRQ {self.rsrq_db} dB"


class Sample(NamedTuple):
    """The CSQ of a reading, and its time in seconds since the first."""

    at_s: float
    csq: int


class Network(NamedTuple):
    """An operator's best cell in a scan. `csq` is None if the modem cannot measure the cells of other operators."""

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
    """Whether the modem is known to hear LTE."""

    def identity(self) -> Identity:
        """Return the identity of unit and modem."""

    def reading(self) -> Reading:
        """Return the present signal. Takes up to about a second."""

    def cell(self) -> str | None:
        """Return location area and cell of the serving cell, hexadecimal: "01F4-2A3B"; None if not known."""

    def networks(self) -> list[Network]:
        """Scan; return all networks, the strongest first. Takes the time of `scan_s`."""

    def leave(self) -> None:
        """Restore changed settings and close the port. Raises nothing."""
