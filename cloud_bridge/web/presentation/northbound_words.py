"""The back-end that a charge point is shown to, in words. Pure."""

from cloud_bridge.northbound.address import host_of
from cloud_bridge.store.northbound import Shown
from cloud_bridge.web.presentation import words
from cloud_bridge.words import gettext as _
from cloud_bridge.words import ngettext


def how_it_goes(shown: Shown, now_ms: int, zone: str) -> str:
    """Return the host of the back-end and the state of the connection to it."""
    host, link = host_of(shown.url), shown.link
    if link.connected_ms is not None:
        if link.answered_ms is None:
            return _("{host}: connected").format(host=host)
        return _("{host}: connected, last answer {at}").format(host=host, at=words.when(link.answered_ms, now_ms, zone))
    if link.refused is None:
        return _("{host}: not connected").format(host=host)
    reason = _(link.refused).format(detail=link.refused_detail or "")
    return _("{host}: not connected, {reason}").format(host=host, reason=reason)


def what_it_may(shown: Shown) -> str:
    """Return whether the back-end may send commands, and how many sessions could not be sent to it."""
    may = _("It may give orders.") if shown.may_command else _("It gives no orders.")
    if not shown.dropped:
        return may
    lost = ngettext("{n} session could not be told.", "{n} sessions could not be told.", shown.dropped)
    return f"{may} {lost.format(n=shown.dropped)}"


def mark(shown: Shown | None) -> str:
    """Return a string that changes when a page has to be redrawn."""
    if shown is None:
        return ""
    link = shown.link
    return f".n{link.connected_ms}.{link.refused}.{link.refused_detail}.{shown.may_command}.{shown.dropped}"
