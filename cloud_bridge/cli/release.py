"""`python -m cloud_bridge release ...`: builds, signs and stores firmware for the units (cloud_bridge/releases/README.md).

Only `sign` needs the private key, and it needs neither the store nor the bridge's machine.
"""

import argparse
import stat
from contextlib import closing
from pathlib import Path

from cloud_bridge.cli import release_roll_out
from cloud_bridge.cli.area import Answer, Area
from cloud_bridge.cli.release_build import build_image, version_of
from cloud_bridge.cli.security_log import record
from cloud_bridge.clock import SystemClock, iso_utc
from cloud_bridge.releases import manifest as manifests
from cloud_bridge.releases.image import MAX_IMAGE_BYTES
from cloud_bridge.releases.manifest import KEYS, MAX_MANIFEST_BYTES, MAX_NOTES
from cloud_bridge.releases.release_errors import BadKey, ReleaseError
from cloud_bridge.releases.signature import (
    MAX_KEY_BYTES,
    PrivateKey,
    PublicKey,
    digest,
    read_private_key,
    read_public_key,
    read_signature,
    sign,
    verify,
)
from cloud_bridge.releases.version import Version, read_version
from cloud_bridge.settings import CHECKOUT, Settings
from cloud_bridge.store import releases
from cloud_bridge.store.database import open_database
from cloud_bridge.store.security_events import Kind

KEY_FOLDER = "update-keys"  # in the data folder, with the public keys 0.pem and 1.pem


def declare(area: Area) -> None:
    building = area.command("build", "build the image and the manifest of a git tag", build, "tag")
    building.add_argument("--board", required=True, help="board of the image, from firmware/boards")
    building.add_argument("--least", type=_version, help="oldest version that can update to this release; default: any")
    building.add_argument("--notes", default="", help=f"release notes for owners, up to {MAX_NOTES} characters")
    building.add_argument("--repository", type=Path, default=CHECKOUT, help="default: the repository of this file")
    building.add_argument("--folder", type=Path, default=Path(), help="target folder; default: the current one")
    about = "sign a manifest with a key file, print its digest for an outside signer, or add that signer's signature"
    signing = area.command("sign", about, sign_manifest)
    signing.add_argument("manifest", type=Path)
    how = signing.add_mutually_exclusive_group()
    how.add_argument("--key", type=Path, help="PEM, ECDSA P-256, readable by its owner only")
    how.add_argument("--signature", type=Path, help="signature of an outside signer: DER, or 64 bytes with r and s")
    signing.add_argument(
        "--number", type=int, choices=range(KEYS), default=0, help="number of the public key in the firmware"
    )
    adding = area.command("add", "verify a signed manifest and its image, and store both", add)
    adding.add_argument("manifest", type=Path)
    adding.add_argument("image", type=Path)
    adding.add_argument(
        "--public",
        type=Path,
        action="append",
        help=f"PEM public keys: key 0, then key 1; default: {KEY_FOLDER}/ in the data folder",
    )
    area.command("list", "list the releases", show)
    release_roll_out.declare(area)


def build(_settings: Settings, options: argparse.Namespace) -> Answer:
    """Build image and manifest. Raises ReleaseError."""
    version = version_of(options.tag)
    image = build_image(options.repository, options.tag, options.board)
    least = options.least or Version(0, 0, 0)
    described = manifests.describe(image, version, least, (options.board,), options.notes)
    name = f"chargekeeper-{version}-{options.board}"
    image_file, manifest_file = options.folder / f"{name}.image", options.folder / f"{name}.manifest"
    line = manifests.write_line(described)
    _write(image_file, image)
    _write(manifest_file, line + b"\n")
    return {"image": str(image_file), "bytes": len(image), "manifest": str(manifest_file), "digest": digest(line)}


def sign_manifest(_settings: Settings, options: argparse.Namespace) -> Answer:
    """Sign a manifest, print its digest, or add a signature. An existing signature is replaced. Raises ReleaseError."""
    line = _read(options.manifest, MAX_MANIFEST_BYTES).split(b"\n")[0]
    manifest = manifests.read_line(line)
    if options.key is None and options.signature is None:
        return {"version": str(manifest.version), "sha256": digest(line)}
    if options.key is not None:
        signature = sign(_private_key(options.key), line)
    else:
        signature = read_signature(_read(options.signature, MAX_KEY_BYTES))
    whole = manifests.write_signed(line, options.number, signature)
    _write(options.manifest, whole)
    return {"signed": str(options.manifest), "key": options.number, "name": manifests.name_of(whole)}


def add(settings: Settings, options: argparse.Namespace) -> Answer:
    """Verify and store a release. Raises ReleaseError, and AlreadyThere if this version is stored with another image."""
    whole, image = _read(options.manifest, MAX_MANIFEST_BYTES), _read(options.image, MAX_IMAGE_BYTES)
    signed = manifests.read_signed(whole)
    verify(_public_keys(settings, options.public), signed.key, signed.line, signed.signature)
    manifests.check_image(signed.manifest, image)
    with closing(open_database(settings.store)) as database, database.writing() as connection:
        if releases.add(connection, signed.manifest, whole, image, SystemClock().now_ms()):
            record(connection, Kind.RELEASE_ADDED, str(signed.manifest.version))
    return {"version": str(signed.manifest.version), "name": manifests.name_of(whole), "bytes": len(image)}


def show(settings: Settings, _options: argparse.Namespace) -> Answer:
    with closing(open_database(settings.store)) as database, database.reading() as connection:
        return [
            {
                "version": one.version,
                "boards": ", ".join(one.manifest.boards),
                "least": str(one.manifest.least),
                "bytes": one.manifest.size,
                "added": iso_utc(one.added_ms),
                "notes": one.manifest.notes,
            }
            for one in releases.list_releases(connection)
        ]


def _private_key(file: Path) -> PrivateKey:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise BadKey(f"the key {file} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise BadKey(f"others can read the key {file}: chmod 600 {file}")
    try:
        return read_private_key(_read(file, MAX_KEY_BYTES))
    except BadKey as error:
        raise BadKey(f"{file}: {error}") from error


def _public_keys(settings: Settings, given: list[Path] | None) -> list[PublicKey | None]:
    """Return the public keys by number; None for a missing one."""
    if given is not None:
        return [_public_key(file) for file in given]
    files = [settings.folder / KEY_FOLDER / f"{number}.pem" for number in range(KEYS)]
    return [_public_key(file) if file.exists() else None for file in files]


def _public_key(file: Path) -> PublicKey:
    try:
        return read_public_key(_read(file, MAX_KEY_BYTES))
    except BadKey as error:
        raise BadKey(f"{file}: {error}") from error


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise ReleaseError(f"{file} has more than {most:,} bytes")
    return content


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ReleaseError(f"{file} cannot be written: {error.strerror}") from error


def _version(text: str) -> Version:
    """Parse an argument for argparse."""
    version = read_version(text)
    if version is None:
        raise argparse.ArgumentTypeError("a version is three numbers: 1.4.0")
    return version
