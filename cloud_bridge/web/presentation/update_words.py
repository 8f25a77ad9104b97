"""A firmware update in words: for the owner of the charge point, and for the operator of the roll-out. Pure."""

from cloud_bridge.durations import DAY_MS
from cloud_bridge.releases.manifest import read_signed
from cloud_bridge.releases.release_errors import BadManifest
from cloud_bridge.releases.roll_out_states import LOADING, UnitState
from cloud_bridge.store.roll_outs import UnitUpdate
from cloud_bridge.web.presentation import words
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _

NEWS_MS = 7 * DAY_MS  # how long a finished update is shown as news
STEP = 10  # per cent: the page is redrawn at each such step of progress
BEFORE = (*LOADING, UnitState.INSTALLED)

STATES = {
    UnitState.WAITING: N_("waiting"),
    UnitState.ORDERED: N_("ordered, not answered yet"),
    UnitState.TAKEN: N_("loading"),
    UnitState.INSTALLED: N_("installed, about to start"),
    UnitState.TRIAL: N_("on trial"),
    UnitState.GOOD: N_("good"),
    UnitState.REFUSED: N_("refused"),
    UnitState.ROLLED_BACK: N_("went back to the former version"),
    UnitState.CORRUPT: N_("went back from firmware that was changed"),
    UnitState.WITHDRAWN: N_("withdrawn"),
}
REASONS = {  # Reasons that the unit sends.
    "signature": N_("the signature is not of a key that it knows"),
    "manifest": N_("the manifest is not valid"),
    "hash": N_("what came is not what was signed"),
    "size": N_("the size is not what was signed"),
    "board": N_("it is for another board"),
    "version": N_("it runs this version or a later one, or one that is too old for it"),
    "space": N_("it has no room"),
    "flash": N_("its flash could not be written"),
    "reset": N_("it was reset by its watchdog"),
    "panic": N_("the new version crashed"),
    "late": N_("the new version was too slow"),
    "integrity": N_("what it found was not what was signed"),
}
CORRUPT = N_(
    "Your charger found on {day} that its firmware was not what we have signed. Nobody but us may change it: please tell us "
    "if somebody has opened your charger."
)
CORRUPT_RUNS = N_(
    "Your charger found on {day} that its firmware was not what we have signed, and runs {runs} again. Nobody but us may "
    "change it: please tell us if somebody has opened your charger."
)
WENT_BACK = N_(
    "The update to {version} did not run well on {day}. Your charger went back by itself: it charges as before, and there is "
    "nothing to do."
)
WENT_BACK_RUNS = N_(
    "The update to {version} did not run well on {day}. Your charger went back by itself and runs {runs} again: it charges as "
    "before, and there is nothing to do."
)


def news(update: UnitUpdate | None, firmware: str | None, now_ms: int, time_zone: str) -> str | None:
    """Return a text for the owner, before and after the update; None if there is nothing to report."""
    if update is None:
        return None
    if update.state in BEFORE and not update.is_stopped:
        return f"{_coming(update)} {_why(update)}".strip()
    if not 0 <= now_ms - update.state_ms <= NEWS_MS:
        return None
    day = words.day(update.state_ms, time_zone)
    if update.state in (UnitState.TRIAL, UnitState.GOOD):
        said = _("Its firmware was updated to {version} on {day}.").format(version=update.version, day=day)
        return f"{said} {_notes(update)}".strip()
    runs = firmware if firmware != update.version else None
    if update.state is UnitState.CORRUPT:
        found = CORRUPT_RUNS if runs else CORRUPT
    elif update.state is UnitState.ROLLED_BACK:
        found = WENT_BACK_RUNS if runs else WENT_BACK
    else:
        return None
    return _(found).format(version=update.version, day=day, runs=runs)


def progress(update: UnitUpdate) -> str:
    """Return the state of the update for the operator of the roll-out."""
    said = f"{update.version}: {_(STATES[update.state])}"
    if update.state in LOADING and update.loaded:
        said = _("{state}, {percent} of the image sent").format(state=said, percent=f"{_share(update)} %")
    if update.why:
        said += f" ({_(REASONS[update.why]) if update.why in REASONS else update.why})"
    return f"{said}. {_('The roll-out was stopped')}" if update.is_stopped else said


def mark(update: UnitUpdate | None) -> str:
    """Return a string that changes when the page has to be redrawn."""
    if update is None:
        return ""
    return f".{update.roll_out}.{update.state}.{int(update.is_stopped)}.{_share(update) // STEP}"


def notes_of(manifest: bytes) -> str:
    """Return the release notes in the manifest."""
    try:
        return read_signed(manifest).manifest.notes
    except BadManifest:  # written by another version of the bridge
        return ""


def _coming(update: UnitUpdate) -> str:
    loaded = _share(update)
    coming = (
        _("Its firmware is being updated to {version}, {percent} loaded. It loads while no vehicle charges.")
        if loaded and update.state in LOADING
        else _("Its firmware is being updated to {version}. It loads while no vehicle charges.")
    ).format(version=update.version, percent=f"{loaded} %")
    if update.required_by_ms is None:
        return coming
    date = words.date(update.required_by_ms, "UTC")
    security = _("This is a security update, and is made at once from {date} on.").format(date=date)
    return f"{coming} {security}"


def _why(update: UnitUpdate) -> str:
    notes = _notes(update)
    return _("What changes: {notes}").format(notes=notes) if notes else ""


def _notes(update: UnitUpdate) -> str:
    return notes_of(update.manifest)


def _share(update: UnitUpdate) -> int:
    """Return the percentage of the image that was sent."""
    try:
        size = read_signed(update.manifest).manifest.size
    except BadManifest:
        return 0
    return min(100, update.loaded * 100 // size)
