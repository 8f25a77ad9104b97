"""The files of mosquitto's configuration: their place, their owner, and the secrets in them.

A broker must not run as root. If root writes the files, they belong to Debian's user `mosquitto`, and the folder belongs to
root and has the sticky bit: mosquitto can store its own files there, but cannot replace the bridge's secret.
"""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cloud_bridge.errors import BridgeError
from cloud_bridge.ingest import home_assistant as home
from cloud_bridge.settings import Settings
from cloud_bridge.store.database import Database
from cloud_bridge.store.exclusive_lock import LockTimeout, exclusive_lock
from cloud_bridge.store.private_files import make_private_folder
from cloud_bridge.store.secrets import new_secret
from cloud_bridge.store.units import OURS

USER = "mosquitto"  # of Debian's package
SECRET = "bridge.secret"
LOCK_WITHIN_S = 20.0

PasswordEntries = Iterable[tuple[str, str]]  # user name and hash


class BrokerUser(NamedTuple):
    """The user whom the broker runs as, and who owns its files."""

    name: str
    uid: int
    gid: int


def broker_user() -> BrokerUser:
    """Return the user who runs this command, or `mosquitto` for root. Raises BridgeError if there is no such user."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid) if uid else pwd.getpwnam(USER)
    except KeyError as error:
        who = f"user id {uid} has no name" if uid else f"there is no user {USER}"
        raise BridgeError(
            f"{who}, and mosquitto must not run as root: install it, or run this command as its user"
        ) from error
    if entry.pw_uid == 0:
        raise BridgeError(f"the user {entry.pw_name} is root, and mosquitto must not run as root")
    return BrokerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def make_folder(folder: Path, user: BrokerUser) -> None:
    """Create the folder in which the broker may store its own files. A folder that somebody else has created is left
    unchanged.

    Raises BridgeError if the broker could not use it.
    """
    try:
        if not folder.exists():
            make_private_folder(folder)
            kept_secret(folder / SECRET)
        if os.geteuid() == 0 and (folder / SECRET).exists():
            os.chown(folder, 0, user.gid)
            folder.chmod(0o1770)
            if (database := folder / "mosquitto.db").exists():
                os.chown(database, user.uid, user.gid, follow_symlinks=False)
    except OSError as error:
        raise BridgeError(
            f"cannot make the folder {folder}: {error.strerror}. Choose another one with --folder"
        ) from error
    if not may(user, "-w", folder):
        raise BridgeError(f"the user {user.name} cannot write in {folder}: choose another folder with --folder")


def may(user: BrokerUser, access: str, path: Path) -> bool:
    """Return True if the user has the access (-r, -w) to the path. The system is asked as that user."""
    uid, gid, groups = None, None, None
    if os.geteuid() == 0:
        uid, gid, groups = user.uid, user.gid, os.getgrouplist(user.name, user.gid)
    asked = subprocess.run(["test", access, str(path)], cwd="/", user=uid, group=gid, extra_groups=groups)
    return asked.returncode == 0


def kept_secret(path: Path) -> str:
    """Return the secret in the file. It is created the first time, for its owner only."""
    if not path.exists():
        write_file(path, new_secret())
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
        return file.read()


def write_file(path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
    """Write a file atomically, readable by its owner only. Raises OSError.

    Links and files that another user has placed in the folder are neither followed nor written to.
    """
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600), "w") as file:
        if owner is not None and os.geteuid() == 0:
            os.fchown(file.fileno(), *owner)
        file.write(text)
    fresh.replace(path)


def remember_folder(settings: Settings, folder: Path) -> None:
    """Store the folder's path, for the commands that change secrets."""
    make_private_folder(settings.folder)
    write_file(_memory(settings), str(folder))


def known_folder(settings: Settings) -> Path | None:
    """Return where the files were last written on this machine; None if never. Raises OSError."""
    if _memory(settings).exists():
        return Path(_memory(settings).read_text())
    folder = default_folder(settings)
    return folder if (folder / "passwords").exists() else None


def default_folder(settings: Settings) -> Path:
    return (settings.folder / "mosquitto").resolve()


def _memory(settings: Settings) -> Path:
    return settings.folder / "mosquitto.folder"


@contextmanager
def one_writer(database: Database) -> Iterator[None]:
    """Hold the lock under which the secrets are read and written, so that no command overwrites newer ones. Raises
    BridgeError."""
    try:
        with exclusive_lock(database, "mosquitto-files", LOCK_WITHIN_S):
            yield
    except LockTimeout as error:
        raise BridgeError("another command is writing the files for mosquitto: try again") from error


def write_passwords(folder: Path, own: PasswordEntries, units: PasswordEntries, user: tuple[int, int]) -> None:
    """Write the password file. A unit with the name of one of our own clients is left out. Raises OSError."""
    entries = dict(own)
    entries = {name: kept for name, kept in units if name not in entries} | entries
    write_file(folder / "passwords", "".join(f"{name}:{kept}\n" for name, kept in entries.items()), user)


def rewrite_passwords(folder: Path, units: PasswordEntries) -> None:
    """Write the password file with the present units. The entries of our own clients and the owner of the file stay the same.
    Raises OSError."""
    path = folder / "passwords"
    there = path.stat(follow_symlinks=False)
    if not stat.S_ISREG(there.st_mode) or os.geteuid() not in (0, there.st_uid):
        raise PermissionError(None, "it belongs to another user")
    entries = (line.partition(":")[::2] for line in path.read_text().splitlines())
    own = [(name, kept) for name, kept in entries if name.startswith(OURS) or name == home.USER]
    write_passwords(folder, own, units, (there.st_uid, there.st_gid))
