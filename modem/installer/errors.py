"""What keeps the tool from its work. The text is one line for a person, and says what to do."""


class CannotTalk(Exception):
    """No modem, or no charge point's console, can be spoken to."""
