"""Releases of the firmware: a signed manifest and its image each. A version has one release for each board. Releases
are verified before they are stored (cli/release.py).
"""

from typing import NamedTuple

from sqlalchemy import Connection, select

from cloud_bridge.errors import AlreadyThere
from cloud_bridge.releases.manifest import Manifest, name_of, read_signed
from cloud_bridge.releases.release_errors import ReleaseError
from cloud_bridge.releases.version import Version
from cloud_bridge.store.release_tables import release_boards, releases
from cloud_bridge.store.upsert import insert_one
from cloud_bridge.words import gettext as _

MAX_RELEASES = 200  # of at most 270 kB each


class Release(NamedTuple):
    """A release, without its image."""

    name: str
    version: str
    manifest: Manifest
    manifest_bytes: int  # of the whole file
    added_ms: int


class ReleaseFiles(NamedTuple):
    """The files that units request."""

    manifest: bytes
    image: bytes


def add(connection: Connection, manifest: Manifest, whole: bytes, image: bytes, now_ms: int) -> bool:
    """Store a release. False: exactly this release is stored already. Raises AlreadyThere if its version has a
    different release for one of its boards, and ReleaseError if MAX_RELEASES are stored."""
    version = str(manifest.version)
    row = {"name": name_of(whole), "version": version, "manifest": whole, "image": image, "added_ms": now_ms}
    if len(list_releases(connection)) >= MAX_RELEASES:
        raise ReleaseError(f"there are {MAX_RELEASES} releases already")
    if not insert_one(connection, releases, row):
        return False
    for board in dict.fromkeys(manifest.boards):
        if not insert_one(connection, release_boards, {"version": version, "board": board, "release": row["name"]}):
            raise AlreadyThere(
                f"{version} for {board} is stored already with another manifest or image, and can have only one"
            )
    return True


def images_of(connection: Connection, version: str) -> list[Release]:
    """The releases of a version, one for each board. Raises ReleaseError if there is no such version."""
    found = [_release(row) for row in connection.execute(_RELEASES.where(releases.c.version == version))]
    if not found:
        raise ReleaseError(
            _("there is no release {version}: `release add` stores one, and `release list` shows them").format(
                version=version
            )
        )
    return found


def list_releases(connection: Connection) -> list[Release]:
    """All releases, the newest version first, one for each image."""
    found = [_release(row) for row in connection.execute(_RELEASES)]
    return sorted(found, key=_order, reverse=True)


def read_files(connection: Connection, name: str) -> ReleaseFiles | None:
    """The files of a release. None: there is no such release."""
    row = connection.execute(select(releases.c.manifest, releases.c.image).where(releases.c.name == name)).first()
    return None if row is None else ReleaseFiles(*row)


_RELEASES = select(releases.c.name, releases.c.manifest, releases.c.added_ms)


def _release(row: tuple[str, bytes, int]) -> Release:
    name, whole, added_ms = row
    manifest = read_signed(whole).manifest
    return Release(name, str(manifest.version), manifest, len(whole), added_ms)


def _order(release: Release) -> tuple[Version, tuple[str, ...]]:
    return release.manifest.version, release.manifest.boards
