"""Errors about releases, each with a text of one line."""

from cloud_bridge.errors import BridgeError


class ReleaseError(BridgeError):
    """A release cannot be built, signed, added or rolled out."""


class BadImage(ReleaseError):
    """The bytes are not an image, or too many."""


class BadManifest(ReleaseError):
    """The bytes are not a manifest, or the manifest does not match its image."""


class BadSignature(ReleaseError):
    """The signature is not by a known public key."""


class BadKey(ReleaseError):
    """A key file cannot be read, or is not ECDSA on P-256."""
