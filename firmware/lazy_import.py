"""Modules that are in memory only while they are used: imported within a LazyImport, and unloaded at its end.

The code itself stays in a board's flash, but the names, functions and tables of each imported module take 1 to 3 kB of about
110 kB of memory. Code that is rarely used (a command from the console or the cloud, the bounds of a setting) is therefore not
loaded permanently.
"""

import sys

# The modules that are imported on demand. They are imported within a LazyImport only (tests/test_arrows.py).
ON_DEMAND = (
    "firmware.commands",
    "firmware.commissioning",
    "firmware.link.commands",
    "firmware.service.now",
    "firmware.service.update",
    "firmware.service.radio",
    "firmware.service.records",
    "firmware.service.owner",
    "firmware.service.fitting",
    "firmware.service.identity",
    "firmware.service.help",
    "firmware.storage.authority_change",
    "firmware.storage.bounds",
    "firmware.storage.forgetting",
    "firmware.storage.session_log",
    "firmware.unlocking",
    "firmware.update.ecdsa",
    "firmware.update.files",
    "firmware.update.installer",
    "firmware.update.keys",
    "firmware.update.manifest",
    "firmware.update.ordering",
    "firmware.update.slots",
    "firmware.update.transfer",
    "firmware.update.trial",
    "firmware.update.updates",
    "modem.families.registry",
    "modem.first_match",
    "modem.network_control",
    "modem.recovery",
    "modem.roaming",
    "modem.startup",
)
SETUP = "_setup"  # suffix of further modules on demand: each modem family may have one (modem/families)


class LazyImport:
    """A context at whose end the modules of ON_DEMAND and SETUP that were imported within it are unloaded:

        with LazyImport():
            from firmware import commands

    Objects that these modules created may be used afterwards; they keep the code that they need.
    """

    def __enter__(self) -> None:
        self._before = _on_loan()  # imported by an enclosing LazyImport, which unloads them

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for name in _on_loan():
            if name not in self._before:
                del sys.modules[name]
                package, own_name = name.rsplit(".", 1)
                delattr(sys.modules[package], own_name)


def _on_loan() -> "list[str]":
    return [name for name in sys.modules if name in ON_DEMAND or name.endswith(SETUP)]
