"""The errors of the bridge that an operator or a caller acts on."""


class BridgeError(Exception):
    """The base of all errors that the bridge reports on purpose. The text is one line that says what to do."""


class SettingError(BridgeError):
    """A setting is missing or invalid."""


class PortBusy(BridgeError):
    """A port that the bridge has to listen on is in use, or this user may not bind it."""


class StoreUnusable(BridgeError):
    """The data folder or the database in it cannot be read or written."""


class AlreadyThere(BridgeError):
    """An object with this name exists already."""


class UnreadableRow(BridgeError):
    """A stored row has invalid content."""
