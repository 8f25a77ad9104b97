"""An update of the firmware in words: for whoever owns the charge point, and for whoever rolls it out. Pure."""

from cloud_bridge.durations import DAY_MS
from cloud_bridge.releases.manifest import read_signed
from cloud_bridge.releases.release_errors import BadManifest
from cloud_bridge.releases.roll_out_states import LOADING, UnitState
from cloud_bridge.store.roll_outs import UnitUpdate
from cloud_bridge.web.presentation import words

NEWS_MS = 7 * DAY_MS  # for so long an update that was made is told
STEP = 10  # per cent of progress that the page follows
BEFORE = (*LOADING, UnitState.INSTALLED)

STATES = {
    UnitState.WAITING: "waiting",
    UnitState.ORDERED: "ordered, not answered yet",
    UnitState.TAKEN: "loading",
    UnitState.INSTALLED: "installed, about to start",
    UnitState.TRIAL: "on trial",
    UnitState.GOOD: "good",
    UnitState.REFUSED: "refused",
    UnitState.ROLLED_BACK: "went back to the former version",
    UnitState.CORRUPT: "went back from firmware that was changed",
    UnitState.WITHDRAWN: "withdrawn",
}
REASONS = {  # of the unit
    "signature": "the signature is not of a key that it knows",
    "manifest": "the manifest is not valid",
    "hash": "what came is not what was signed",
    "size": "the size is not what was signed",
    "board": "it is for another board",
    "version": "it runs this version or a later one, or one that is too old for it",
    "space": "it has no room",
    "flash": "its flash could not be written",
    "reset": "it was reset by its watchdog",
    "panic": "the new version crashed",
    "late": "the new version was too slow",
    "integrity": "what it found was not what was signed",
}


def news(update: UnitUpdate | None, firmware: str | None, now_ms: int, time_zone: str) -> str | None:
    """For the owner, before and after; None where there is nothing to say."""
    if update is None:
        return None
    if update.state in BEFORE and not update.is_stopped:
        return f"{_coming(update)} {_why(update)}".strip()
    if not 0 <= now_ms - update.state_ms <= NEWS_MS:
        return None
    day = words.day(update.state_ms, time_zone)
    if update.state in (UnitState.TRIAL, UnitState.GOOD):
        return f"Its firmware was updated to {update.version} on {day}. {_notes(update)}".strip()
    runs = f" and runs {firmware} again" if firmware and firmware != update.version else ""
    if update.state is UnitState.CORRUPT:
        found = f"Your charger found on {day} that its firmware was not what we have signed"
        return f"{found}{runs and ','}{runs}. Nobody but us may change it: please tell us if somebody has opened your charger."
    if update.state is UnitState.ROLLED_BACK:
        return (
            f"The update to {update.version} did not run well on {day}. Your charger went back by itself{runs}: it charges "
            "as before, and there is nothing to do."
        )
    return None


def progress(update: UnitUpdate) -> str:
    """For whoever rolls it out."""
    said = f"{update.version}: {STATES[update.state]}"
    if update.state in LOADING and update.loaded:
        said += f", {_share(update)} % of the image sent"
    if update.why:
        said += f" ({REASONS.get(update.why, update.why)})"
    return f"{said}. The roll-out was stopped" if update.is_stopped else said


def mark(update: UnitUpdate | None) -> str:
    """Changes when the page must."""
    if update is None:
        return ""
    return f".{update.roll_out}.{update.state}.{int(update.is_stopped)}.{_share(update) // STEP}"


def notes_of(manifest: bytes) -> str:
    """What changes, in the words of who built it."""
    try:
        return read_signed(manifest).manifest.notes
    except BadManifest:  # written by another version of the bridge
        return ""


def _coming(update: UnitUpdate) -> str:
    loaded = _share(update)
    how_far = f", {loaded} % loaded" if loaded and update.state in LOADING else ""
    coming = f"Its firmware is being updated to {update.version}{how_far}. It loads while no vehicle charges."
    if update.required_by_ms is None:
        return coming
    return (
        f"{coming} This is a security update, and is made at once from {words.date(update.required_by_ms, 'UTC')} on."
    )


def _why(update: UnitUpdate) -> str:
    notes = _notes(update)
    return f"What changes: {notes}" if notes else ""


def _notes(update: UnitUpdate) -> str:
    return notes_of(update.manifest)


def _share(update: UnitUpdate) -> int:
    """Per cent of the image, as far as it was sent."""
    try:
        size = read_signed(update.manifest).manifest.size
    except BadManifest:
        return 0
    return min(100, update.loaded * 100 // size)
