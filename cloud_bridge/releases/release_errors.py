"""What is wrong with a release, in one line."""

from cloud_bridge.errors import BridgeError


class ReleaseError(BridgeError):
    """A release cannot be built, signed, added or rolled out."""


class BadImage(ReleaseError):
    """The bytes are no image, or too many."""


class BadManifest(ReleaseError):
    """The bytes are no manifest, or one that does not fit its image."""


class BadSignature(ReleaseError):
    """No public key has signed these bytes."""


class BadKey(ReleaseError):
    """A key file cannot be read, or is of another kind than ECDSA on P-256."""
