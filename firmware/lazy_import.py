"""Code that is in memory only while it is wanted: a module on loan, forgotten again afterwards.

Code itself stays in a board's flash, but the names, functions and tables of each imported module are memory: one to three
kB of some 110 that there are. What is wanted seldom (a command on the console or from the cloud, the bounds of a setting)
need not be there all the time.
"""

import sys

# All that is imported on demand, inside a LazyImport and nowhere else (tests/test_arrows.py).
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
SETUP = "_setup"  # ends the names of other modules on demand, of which each modem family may have one (modem/families)


class LazyImport:
    """Modules of ON_DEMAND, and those of SETUP, that are imported within it are forgotten at its end:

        with LazyImport():
            from firmware import commands

    What was made by them may live on, with the code that it uses.
    """

    def __enter__(self) -> None:
        self._before = _on_loan()  # to somebody else, who forgets them

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for name in _on_loan():
            if name not in self._before:
                del sys.modules[name]
                package, own_name = name.rsplit(".", 1)
                delattr(sys.modules[package], own_name)


def _on_loan() -> "list[str]":
    return [name for name in sys.modules if name in ON_DEMAND or name.endswith(SETUP)]
