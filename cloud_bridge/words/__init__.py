"""Translation: catalogues, the current language, and its formats for dates and numbers."""

from cloud_bridge.words.language import N_, gettext, ngettext, pgettext

__all__ = ["N_", "gettext", "ngettext", "pgettext"]
