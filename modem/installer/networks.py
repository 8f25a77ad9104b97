"""Converts a scan to a list of networks, the strongest first. Pure."""

from typing import TYPE_CHECKING

from modem.installer.readings import Network

if TYPE_CHECKING:
    from modem.contracts import Scanned


def networks(scanned: "list[Scanned]") -> list[Network]:
    """Return a Network for each operator, with the CSQ of its strongest cell. Networks without a CSQ come last.

    `scanned`: the rows that Setup.scan returns.
    """
    found: dict[str, Network] = {}
    for plmn, name, csq, forbidden in scanned:
        seen = found.get(plmn)
        if seen is None:
            found[plmn] = Network(plmn, name, csq, 1, forbidden)
            continue
        if csq is not None and csq > (seen.csq or 0):
            seen = seen._replace(name=name, csq=csq)
        found[plmn] = seen._replace(cells=seen.cells + 1, forbidden=forbidden and seen.forbidden)
    measured = [network for network in found.values() if network.csq is not None]
    unmeasured = [network for network in found.values() if network.csq is None]
    return sorted(measured, key=lambda network: (-(network.csq or 0), network.plmn)) + unmeasured
