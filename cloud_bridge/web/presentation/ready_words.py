"""Whether a vehicle will be ready, in words: as a line of the dashboard, and as an alert. Pure."""

from cloud_bridge.readiness.outlook import Outlook, Verdict
from cloud_bridge.readiness.reasons import ADVICE
from cloud_bridge.readiness.telling import News
from cloud_bridge.store.ready_plans import ShownPlan
from cloud_bridge.web.presentation.words import minute_of_day
from cloud_bridge.words import formats
from cloud_bridge.words import gettext as _

STEP_MS = 10 * 60_000  # the page is redrawn when the forecast moves by this


def line(plan: ShownPlan | None, time_zone: str) -> str | None:
    """Return the line for the dashboard, or None if there is no plan."""
    if plan is None:
        return None
    ready, found = minute_of_day(plan.ready_ms, time_zone), plan.outlook
    if found is None:
        return _("Ready by {time}: we look at it in a minute.").format(time=ready)
    if found.verdict is Verdict.AT_RISK:
        return _("Ready by {time} is at risk. {advice}").format(time=ready, advice=_advice(found))
    if found.verdict is Verdict.ON_TRACK:
        return _on_track(plan, found, ready, time_zone)
    return _amiss(News(found.verdict.value), ready, plan.target_percent, found)


def tone(plan: ShownPlan | None) -> str:
    """Return the tone of the line: "error" if something has to be done in time, else empty."""
    found = None if plan is None else plan.outlook
    return "" if found is None or found.verdict in (Verdict.ON_TRACK, Verdict.AT_RISK) else "error"


def announcement(news: News, ready_ms: int, target_percent: float, found: Outlook, time_zone: str) -> str:
    """Return the text of an alert."""
    ready = minute_of_day(ready_ms, time_zone)
    if news is not News.TAKEN_BACK:
        return _amiss(news, ready, target_percent, found)
    if found.full_ms is None:
        return _("All is well again: your vehicle will be ready by {time}.").format(time=ready)
    full = minute_of_day(found.full_ms, time_zone)
    return _("All is well again: your vehicle will be ready at about {time}.").format(time=full)


def mark(plan: ShownPlan | None) -> str:
    """Return a string that changes when the page has to be redrawn."""
    if plan is None:
        return ""
    if plan.outlook is None:
        return f".{plan.ready_ms}"
    found = plan.outlook
    full = "" if found.full_ms is None else found.full_ms // STEP_MS
    return f".{plan.ready_ms}.{found.verdict}.{found.reason or ''}.{(found.percent or 0) // 5}.{full}"


def _on_track(plan: ShownPlan, found: Outlook, ready: str, time_zone: str) -> str:
    forecast = _forecast(plan, found, ready, time_zone)
    return forecast if found.reason is None else f"{forecast} {_advice(found)}"


def _forecast(plan: ShownPlan, found: Outlook, ready: str, time_zone: str) -> str:
    if found.percent is None:
        return _("Ready by {time}: it goes as planned. We cannot see how full the vehicle is.").format(time=ready)
    if found.full_ms is None:
        return _("Ready by {time}: about {percent}.").format(time=ready, percent=f"{found.percent} %")
    full = minute_of_day(found.full_ms, time_zone)
    percent = f"{formats.shortest(plan.target_percent)} %"
    return _("Ready by {time}: on track for {percent} by about {full}.").format(time=ready, percent=percent, full=full)


def _amiss(news: News, ready: str, target_percent: float, found: Outlook) -> str:
    if news is News.NOT_KNOWN:
        said = _("We do not know whether your vehicle will be ready by {time}. {advice}")
        return said.format(time=ready, advice=_advice(found))
    if found.percent is None:
        return _("Your vehicle will not be ready by {time}. {advice}").format(time=ready, advice=_advice(found))
    return _(
        "Your vehicle will not be ready by {time}: it will have about {percent} instead of {wanted}. {advice}"
    ).format(
        time=ready, percent=f"{found.percent} %", wanted=f"{formats.shortest(target_percent)} %", advice=_advice(found)
    )


def _advice(found: Outlook) -> str:
    return "" if found.reason is None else f"{_(ADVICE[found.reason].why)} {_(ADVICE[found.reason].what_to_do)}"
