"""Errors of the installer's tool. The message is one line for people, with the remedy."""


class CannotTalk(Exception):
    """There is no communication with a modem or a charge point's console."""
