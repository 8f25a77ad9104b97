"""The recommendation for a measured signal: move the antenna, use another network, fit a booster, or nothing. Pure.

A booster is the last resort: it is recommended only if no other network is sufficient and moving the antenna cannot be enough.
A booster amplifies a received signal, so it does not help where no signal is received.
"""

from typing import NamedTuple

from modem import signal
from modem.installer.readings import Network

NOTHING = "nothing to do"
OTHER_NETWORK = "other network"
MOVE_ANTENNA = "move antenna"
BOOSTER = "signal booster"
NO_2G = "no 2G here"
NO_NETWORK = "no network here"  # from a modem that also receives LTE
LOOK_AT_SIM = "look at the SIM"
MEASURE_AGAIN = "measure again"

# A higher position, or one outside a metal box, usually gains 5 to 10 dB. So up to 4 CSQ (8 dB) short of a pass, moving the
# antenna is recommended.
ANTENNA_GAINS_CSQ = 4


class Advice(NamedTuple):
    """A recommendation. `do` is one of the constants above; `text` explains it to people."""

    do: str
    text: str


def advice(
    verdict: signal.Verdict, plmn: str | None, networks: list[Network] | None, hears_lte: bool = False
) -> Advice:
    """Return the recommendation for a measurement.

    `plmn`: of the serving network, None if not registered; `networks`: result of a scan, None if there was no scan;
    `hears_lte`: whether the modem also receives LTE.
    """
    if verdict.verdict == signal.PASS:
        return Advice(NOTHING, "The signal is good enough.")
    if networks == [] and hears_lte:
        return Advice(
            NO_NETWORK,
            "No network was found here. Check that the antenna is plugged in. If it is, neither another antenna nor a"
            " booster helps.",
        )
    if networks == []:
        return Advice(
            NO_2G,
            "No 2G network was found here. Check that the antenna is plugged in. If it is, this modem cannot work here,"
            " and neither another antenna nor a booster helps: the unit needs an LTE-M modem.",
        )
    others = [network for network in networks or [] if network.passes and network.plmn != plmn]
    if verdict.verdict == signal.UNKNOWN and plmn is None and networks:
        best = networks[0]
        return Advice(
            LOOK_AT_SIM,
            f"Networks were found ({shown(best)} is the strongest), but the modem is not registered with any of them."
            " Check that the SIM is inserted, unlocked and active.",
        )
    if others:
        best = others[0]
        return Advice(
            OTHER_NETWORK,
            f"{shown(best)} would pass here with CSQ {best.csq}. Let the unit choose its network by itself,"
            " or use a SIM of that network. No booster is needed.",
        )
    if verdict.verdict == signal.UNKNOWN:
        return Advice(MEASURE_AGAIN, "There are too few readings for a verdict. Wait a minute and measure again.")
    return _weak(verdict, networks)


def _weak(verdict: signal.Verdict, networks: list[Network] | None) -> Advice:
    scanned = "No other network here is stronger. " if networks else "Scan for a stronger network first. "
    if any(network.csq is None for network in networks or []):
        scanned = "This modem cannot measure the signal of the other networks. "
    missing = signal.PASS_ABOVE_CSQ + 1 - verdict.median
    if missing <= ANTENNA_GAINS_CSQ:
        return Advice(
            MOVE_ANTENNA,
            f"The signal is {missing:g} CSQ ({2 * missing:g} dB) short of a pass. {scanned}Move the antenna: higher up,"
            " out of the metal box, to the side of the building that faces the mast. If that is not enough, fit a booster.",
        )
    return Advice(
        BOOSTER,
        f"The signal is {missing:g} CSQ ({2 * missing:g} dB) short of a pass. {scanned}Fit a signal booster,"
        " with its outside antenna as high as it can be.",
    )


def shown(network: Network) -> str:
    """Return the network's name, or its PLMN if the name is not known."""
    return network.name or network.plmn
