"""What the tool gets to know about the air, whichever way it asks."""

from typing import NamedTuple, Protocol

from modem import signal


class Identity(NamedTuple):
    """Who answers: the charge point's id where known, the modem's model and its IMEI."""

    unit: str | None
    model: str | None
    imei: str | None


class Reading(NamedTuple):
    """One look at the signal. `csq` 0..31, or 99 for no reading; `plmn` of the network that serves, if one does.

    `name` is the operator's, as far as it is known without a scan.
    """

    csq: int
    plmn: str | None
    name: str | None = None

    @property
    def network(self) -> str:
        """For a person."""
        if self.plmn is None:
            return "no network"
        return f"{self.name} ({self.plmn})" if self.name else self.plmn


class Sample(NamedTuple):
    """A reading and when it was taken, in seconds since the first."""

    at_s: float
    csq: int


class Network(NamedTuple):
    """An operator in a scan: its best cell. `csq` is None where the modem cannot measure cells it does not use."""

    plmn: str
    name: str | None
    csq: int | None
    cells: int
    forbidden: bool = False

    @property
    def passes(self) -> bool:
        """Whether an installation on this network would pass."""
        return self.csq is not None and not self.forbidden and signal.passes(self.csq)


class Source(Protocol):
    """Where readings come from: a modem's own port, or a charge point's console. All of it may raise CannotTalk."""

    scan_s: tuple[int, int]
    """How long a scan takes: usually, and at most."""

    def identity(self) -> Identity:
        """Who answers."""

    def reading(self) -> Reading:
        """The signal now. Takes up to a second or so."""

    def cell(self) -> str | None:
        """Location area and cell that serve us, in hexadecimal: "01F4-2A3B"."""

    def networks(self) -> list[Network]:
        """Every network that is heard, the strongest first. Takes as long as `scan_s` says."""

    def leave(self) -> None:
        """Undo what asking changed. Raises nothing: there may be nobody left to talk to."""
