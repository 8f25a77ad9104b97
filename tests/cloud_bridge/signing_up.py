"""A bridge with other sign-up settings, and its letters."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cloud_bridge.alerts.errors import NotDelivered
from cloud_bridge.alerts.letters import Letter, Letters
from cloud_bridge.settings import SignUp
from cloud_bridge.web.pages.operator import invitations
from tests.cloud_bridge.running import DEADLINE_S, Bridge

MAIL = "mailto://mail.example?from=keeper@example.org"


@dataclass
class Mailbox:
    """The mailbox of all people. With `is_down`, the mail server accepts nothing."""

    letters: Letters
    arrived: list[Letter] = field(default_factory=list)
    is_down: bool = False

    def send(self, _server: str | None, address: str, text: str) -> None:
        """Replace alerts.mail.send_mail."""
        if self.is_down:
            raise NotDelivered("it is down")
        self.arrived.append(Letter(address, text))

    def all(self) -> list[Letter]:
        """Return all letters, after waiting for those in the queue."""
        assert self.letters.wait(DEADLINE_S)
        return self.arrived

    def link(self) -> str:
        """Return the path of the first link in the newest letter."""
        found = re.search(r"https?://[^/]+(/\S+)", self.all()[-1].text)
        assert found
        return found[1]


def set_up(
    bridge: Bridge,
    patch: pytest.MonkeyPatch,
    sign_up: SignUp = SignUp.INVITATION,
    mail: str | None = MAIL,
    **settings: Any,
) -> Mailbox:
    """Apply these settings to the pages of the bridge from now on."""
    letters = Letters(mail, bridge.app_state.counters)
    box = Mailbox(letters)
    bridge.guests.append(letters.close)
    patch.setattr("cloud_bridge.alerts.letters.send_mail", box.send)
    patch.setattr(invitations, "send_mail", box.send)
    app: Any = bridge.client.app
    new = replace(bridge.app_state.settings, sign_up=sign_up, mail=mail, **settings)
    app.state.bridge = replace(bridge.app_state, settings=new, letters=letters)
    return box
