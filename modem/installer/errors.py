"""Errors of the installer's tool. Each message is one line for people and includes the remedy."""


class CannotTalk(Exception):
    """The tool cannot communicate with a modem or a charge point's console, or cannot write its output."""
