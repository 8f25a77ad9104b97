"""What people read, in their language: catalogues, the language of now, and how it writes dates and numbers."""

from cloud_bridge.words.language import N_, gettext, ngettext, pgettext

__all__ = ["N_", "gettext", "ngettext", "pgettext"]
