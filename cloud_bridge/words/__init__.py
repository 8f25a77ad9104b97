"""What people read, in their language: the catalogue, whose language is spoken now, and how a locale writes dates and numbers."""

from cloud_bridge.words.language import N_, gettext, ngettext, pgettext

__all__ = ["N_", "gettext", "ngettext", "pgettext"]
