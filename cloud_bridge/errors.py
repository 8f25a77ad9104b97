"""What can go wrong in the bridge that a person or a caller acts on."""


class BridgeError(Exception):
    """Anything the bridge reports on purpose; its text is one line that says what to do."""


class SettingError(BridgeError):
    """A setting of the environment cannot be used."""


class PortBusy(BridgeError):
    """A port that the bridge has to listen on is taken or not allowed."""


class StoreUnusable(BridgeError):
    """The data folder or the database in it cannot be read or written."""


class AlreadyThere(BridgeError):
    """Something of this name was added before."""


class UnreadableRow(BridgeError):
    """What is asked for is stored, and its content is not valid."""
