"""Converts a scan to a list of networks, the best first. Pure."""

from modem import replies, signal
from modem.installer.readings import Network


def best_cells(cells: list[replies.Cell]) -> list[Network]:
    """Return each operator's strongest cell, from AT+CNETSCAN."""
    found: dict[str, list[replies.Cell]] = {}
    for cell in cells:
        found.setdefault(cell.plmn, []).append(cell)
    networks = [_network(plmn, of_one) for plmn, of_one in found.items()]
    return sorted(networks, key=lambda network: (-(network.csq or 0), network.plmn))


def listed(operators: list[replies.Operator]) -> list[Network]:
    """Return the networks of AT+COPS=?, for families without MEASURES_ALL_CELLS. Duplicates (per technology) are merged."""
    found: dict[str, Network] = {}
    for operator in operators:
        seen = found.get(operator.plmn)
        forbidden = operator.stat == 3 and (seen is None or seen.forbidden)
        cells = 1 + (seen.cells if seen else 0)
        found[operator.plmn] = Network(operator.plmn, operator.long_name or operator.short_name, None, cells, forbidden)
    return list(found.values())


def _network(plmn: str, cells: list[replies.Cell]) -> Network:
    best = max(cells, key=lambda cell: cell.rxlev)
    return Network(plmn, best.name, signal.csq_from_rxlev(best.rxlev), len(cells))
