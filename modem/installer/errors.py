"""What keeps the tool from its work. Each text is one line for a person, and says what to do."""


class CannotTalk(Exception):
    """No modem, or no charge point's console, can be spoken to."""


class NothingHeard(Exception):
    """The modem can be spoken to, but it has no reading to give."""
