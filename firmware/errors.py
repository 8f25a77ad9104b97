"""What can go wrong in the firmware, outside modem and MQTT, which have their own trees."""


class FirmwareError(Exception):
    """Base of the tree."""


class SettingError(FirmwareError):
    """A setting was refused: `name` and why, in words a person can act on."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__("%s: %s" % (name, why))
        self.name = name


class CommandRefused(FirmwareError):
    """A command on the console or from the cloud that is not carried out; the message says what to do instead."""


class UpdateRefused(FirmwareError):
    """An update is not taken. The text is the reason `w` of the event `update` (tests/samples/schema.toml)."""
