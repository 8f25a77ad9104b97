"""Exceptions of the firmware, except those of the modem layer and MQTT, which have their own."""


class FirmwareError(Exception):
    """Base class of these exceptions."""


class SettingError(FirmwareError):
    """A setting was refused. The message has its name and a reason that a person can act on."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__("%s: %s" % (name, why))
        self.name = name


class CommandRefused(FirmwareError):
    """A command from the console or the cloud is not carried out. The message is the reason or the remedy."""


class UpdateRefused(FirmwareError):
    """An update is refused. The text is the reason `w` of the event `update` (tests/samples/schema.toml)."""
