"""An update, from the cloud's order to the first day of the new version. In memory only during an update.

    order -> manifest fetched -> signature, board, version, room -> image fetched -> unpacked -> active, on trial -> restart

The generator `_steps` does all of this. The link runs its steps between two messages, while the contactor is open and no
record is to be sent. The results of all steps are in the flash, so that after an interruption the generator starts again and
continues where it was:

    /update        the order, and why its manifest was refused; it stays, so that a damaged slot is filled again
    /update.new    the manifest, until it is checked
    /a, /b         the slots: `manifest`, signed by one of KEYS; `image`, as far as it is fetched; `product`, once complete

A permanent failure is recorded as an event and stored; the same manifest is not requested again.
"""

import binascii
import os

from firmware.errors import CommandRefused, UpdateRefused
from firmware.lazy_import import LazyImport
from firmware.storage import record_file
from firmware.update import slots
from firmware.update.files import (
    IMAGE_FILE,
    digest,
    held_bytes,
    keep_good_pieces,
    make_folder,
    part,
    prepare,
    remove,
    short_hash,
    whole_pieces,
)
from firmware.update.transfer import IMAGE, MANIFEST, PACE_MS, Transfer, parts
from firmware.update.trial import Trial
from firmware.version import BOARD, VERSION

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from firmware.charge_point import ChargePoint

FILE = "/update"  # {"v", "h", "m", "r", "refused"}
NEW_FILE = "/update.new"  # a manifest that is not checked yet
MANIFEST_FILE = "/manifest"  # in a slot; same as in installer.py
CLOSED = ("closing", "charging", "stopping")  # phases in which the contactor is closed or about to close
RESERVE_BYTES = 131072  # of the flash, reserved for records: an outbox of two months without a network
WORK_MS = 100  # duration of the steps that are run at a time
AGAIN_MS = 3600000  # wait after a failure of the flash or the memory
TRIES = 3  # such failures before the update is refused
WRONG_MANIFESTS = 3  # attempts to fetch the ordered manifest


class Updates:
    """The update. `started`: the running slot; `doing`: the current step, in a word."""

    def __init__(self, unit: "ChargePoint", started: str) -> None:
        self.started = started
        self.doing = "-"
        self.transfer: Transfer | None = None
        self._unit = unit
        self._flash = unit.flash()
        self.record = slots.load(self._flash)
        # Whether the record is about the running slot. False if the flash refused the starter's decision, or a restart is due.
        self._is_ours = self.record["active"] == started
        self._restart_due = False
        self.order = record_file.load(self._flash + FILE)
        self._job: Any = None
        self._path = ""  # of the file being fetched
        self._not_before_ms = 0
        self._failures = 0
        self._trial: Trial | None = None
        if self._is_ours and started != slots.BUILT_IN and self.record["state"] != slots.SETTLED:
            self._trial = Trial(self._now_ms(), self.record["state"])

    def _now_ms(self) -> int:
        return self._unit.wall_clock.now_ms()

    def is_needed(self) -> bool:
        """Return whether there is anything to do, now or after a trial."""
        return bool(self._trial or self.record["tell"] or self._restart_due or self._wanted())

    def _wanted(self) -> bool:
        return bool(self.order and not self.order["refused"] and self.order["v"] != VERSION)

    def take_order(self, order: "dict[str, Any]") -> None:
        """Accept and store an order: {"v", "h", "m", "r"}. Raises CommandRefused; OSError if the flash fails."""
        with LazyImport():
            from firmware.update import manifest

            try:
                is_newer = manifest.numbers(order["v"]) > manifest.numbers(VERSION)
            except ValueError:
                raise CommandRefused("bad v") from None
        if not is_newer:
            raise CommandRefused("version %s runs" % VERSION)
        if self.order and self.order["h"] == order["h"]:
            if self.order["refused"]:
                raise CommandRefused("refused before: %s" % self.order["refused"])
            if self.order["r"] == order["r"]:
                return
        self._forget_job()
        fresh = dict(order, refused=None)
        record_file.save(self._flash + FILE, fresh)
        self.order = fresh
        self._failures = self._not_before_ms = 0

    def withdraw(self) -> None:
        """Withdraw the order and remove the files fetched for it. Raises OSError if the flash fails."""
        self._forget_job()
        self.order = None
        remove(self._flash + FILE)
        self._erase()

    def poll(self) -> None:
        """Report the starter's actions, evaluate the trial, and restart when that is due. Call in each pause."""
        if self._restart_due and self._is_open():
            self._unit.restart()
        if self.record["tell"] and self._is_ours and self._unit.journal:
            self._tell()
        found = self._trial.look(self._now_ms(), self._unit.exchange) if self._trial else None
        if found == "late":
            self._keep(slots.blamed(self.record, found))
            self._restart_due = True
        elif found:
            self._keep(slots.after(self.record, found, VERSION))
            remove(self._flash + "/" + self.started + IMAGE_FILE)  # exists only if power was lost after the slot change
            if found == "lived":
                self._trial = None

    def _tell(self) -> None:
        """Record the events that the starter or the previous version left in the record."""
        for version, result, why in self.record["tell"]:
            self._note(version, result, why)
            if result == "rolled_back" and self.order and self.order["v"] == version:
                self._remember_refusal(result)
        self._keep(slots.told(self.record))

    def question(self) -> "bytes | None":
        """Work on the update for up to WORK_MS; return the payload of a request to the cloud, or None. Call it when no record
        is to be sent.
        """
        if not self._may_work():
            return None
        try:
            self._work()
        except UpdateRefused as refused:
            self._refuse(str(refused))
        except OSError:
            self._put_off("flash")
        except MemoryError:
            self._put_off("space")
        asked = self.transfer.question(self._now_ms()) if self.transfer and self.order else None
        if asked is None or self.transfer is None:
            return None
        journal = self._unit.journal
        said = journal.next_sequence(), journal.boot, self.order["h"], self.transfer.file, asked[0], asked[1]
        return ('{"n":%d,"b":%d,"h":"%s","f":%d,"o":%d,"c":%d}' % said).encode()

    def awaits(self) -> bool:
        """Return whether requested pieces are still missing."""
        return self.transfer is not None and self.transfer.awaits()

    def put_off(self) -> None:
        """Delay the next request, because the broker refused this one."""
        if self.transfer:
            self.transfer.put_off(self._now_ms())

    def take(self, message: bytes) -> None:
        """Process a message with a piece. Any piece but the next one is ignored. Raises nothing."""
        found = parts(message)
        if not (found and self.transfer and self.order and self._may_work()):
            return
        digest, file, offset, piece = found
        if binascii.hexlify(digest).decode() != self.order["h"]:
            return
        if self.transfer.piece(self._now_ms(), file, offset, piece):
            try:
                with open(self._path, "ab") as target:
                    target.write(piece)
            except OSError:
                self._put_off("flash")

    def _may_work(self) -> bool:
        return bool(
            self._wanted()
            and self._is_ours
            and self.record["state"] != slots.TRIAL  # the other slot is still needed to roll back to
            and self._now_ms() >= self._not_before_ms
            and self._is_open()
        )

    def _is_open(self) -> bool:
        """Return whether the contactor is open and not about to close."""
        report = self._unit.exchange.report
        return report.phase not in CLOSED and not report.contactor

    def _work(self) -> None:
        if self._job is None:
            self._job = self._steps()
        until_ms = self._now_ms() + WORK_MS
        while self._now_ms() < until_ms:
            try:
                next(self._job)
            except StopIteration:
                return  # the update is installed, and a restart is due
            if (self.transfer and not self.transfer.is_done()) or not self._may_work():
                return

    def _steps(self) -> "Any":
        """Carry out the order: fetch and check the manifest, fetch the image, install it. A generator. Raises UpdateRefused,
        OSError, MemoryError.
        """
        order = self.order
        folder = self._flash + "/" + slots.free(self.started)
        said = yield from self._manifest(order, folder)
        have = prepare(folder)
        self.doing = "image"
        pieces, path = said.pieces, folder + IMAGE_FILE
        if have:
            yield from keep_good_pieces(path, pieces)
        yield from self._fetch(IMAGE, path, said.size, lambda at, piece: digest(piece) == part(pieces, at))
        self.doing = "install"
        with LazyImport():
            from firmware.update import installer
        yield from installer.install(folder)
        self._save(slots.installed(self.record, slots.free(self.started), order["v"]))
        self._is_ours, self._restart_due = False, True
        os.remove(folder + IMAGE_FILE)

    def _manifest(self, order: "dict[str, Any]", folder: str) -> "Any":
        """Return the checked Manifest of the order. The slot is emptied only after the check, and only if it holds another
        manifest.
        """
        self.doing = "manifest"
        with LazyImport():
            from firmware.update import installer, manifest
        path = folder + MANIFEST_FILE
        is_new = short_hash(path) != order["h"]
        if is_new:
            path = self._flash + NEW_FILE
            yield from self._fetch_manifest(order, path)
        with open(path, "rb") as file:
            content = file.read(manifest.MANIFEST_MAX + 1)
        said = yield from installer.trusted(content)
        manifest.judge(said, VERSION, BOARD)
        if said.version != manifest.numbers(order["v"]):
            raise UpdateRefused("version")
        if self._room() + held_bytes(folder) < said.size + said.unpacked + RESERVE_BYTES:
            raise UpdateRefused("space")
        self._save(slots.emptied(self.record, slots.free(self.started)))
        if is_new:
            slots.erase(folder)
            make_folder(folder)
            os.rename(path, folder + MANIFEST_FILE)
        return said

    def _fetch_manifest(self, order: "dict[str, Any]", path: str) -> "Any":
        for _ in range(WRONG_MANIFESTS):
            if short_hash(path) == order["h"]:
                return
            remove(path)
            yield from self._fetch(MANIFEST, path, order["m"], lambda at, piece: True)
        if short_hash(path) != order["h"]:
            raise UpdateRefused("hash")

    def _fetch(self, file: int, path: str, total: int, matches: "Callable[[int, bytes], bool]") -> "Any":
        self._path = path
        pace_ms = 0 if self.order and self.order["r"] else PACE_MS
        self.transfer = transfer = Transfer(file, total, whole_pieces(path, total), pace_ms, matches)
        while not transfer.is_done():
            if transfer.is_wrong():
                raise UpdateRefused("hash")
            yield
        self.transfer = None

    def _erase(self) -> None:
        """Remove the files fetched so far. A slot to which the unit may roll back stays."""
        remove(self._flash + NEW_FILE)
        if self._is_ours and self.record["before"] != slots.free(self.started):
            slots.erase(self._flash + "/" + slots.free(self.started))

    def _room(self) -> "Any":
        """Return the free bytes of the flash."""
        found = os.statvfs(self._flash)
        return found[0] * found[3]

    def _refuse(self, why: str) -> None:
        """Refuse the order permanently: record an event, erase the slot, and store the refusal."""
        order = self.order
        self._forget_job()
        if order:
            self._note(order["v"], "refused", why)
            self._remember_refusal(why)
            try:
                self._erase()
            except OSError:
                pass  # the next update erases the slot

    def _remember_refusal(self, why: str) -> None:
        self.order = dict(self.order, refused=why)
        try:
            record_file.save(self._flash + FILE, self.order)
        except OSError:
            pass  # the update is tried again after the next start

    def _put_off(self, why: str) -> None:
        """Start again after AGAIN_MS, or refuse after TRIES failures. A failing flash may have damaged the files, so they are
        erased.
        """
        self._forget_job()
        try:
            self._erase()
        except OSError:
            pass  # the next attempt fails too
        self._failures += 1
        self._not_before_ms = self._now_ms() + AGAIN_MS
        if self._failures >= TRIES:
            self._refuse(why)

    def _forget_job(self) -> None:
        if self._job:
            self._job.close()
        self._job = self.transfer = None
        self.doing = "-"

    def _save(self, record: "dict[str, Any]") -> None:
        slots.save(self._flash, record)
        self.record = record

    def _keep(self, record: "dict[str, Any]") -> None:
        """Set and store the record. If the flash fails, its events are found and reported again after the next start."""
        self.record = record
        try:
            slots.save(self._flash, record)
        except OSError:
            pass  # see above

    def _note(self, version: str, result: str, why: "str | None" = None) -> None:
        self._unit.note("update", {"v": version, "r": result, "w": why})
