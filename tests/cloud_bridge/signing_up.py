"""A bridge with other settings of sign-up, and the letters that it sends."""

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
    """Everybody's. With `is_down` the mail server takes nothing."""

    letters: Letters
    arrived: list[Letter] = field(default_factory=list)
    is_down: bool = False

    def send(self, _server: str | None, address: str, text: str) -> None:
        """In place of alerts.mail.send_mail."""
        if self.is_down:
            raise NotDelivered("it is down")
        self.arrived.append(Letter(address, text))

    def all(self) -> list[Letter]:
        """Those that have come, and those on their way."""
        assert self.letters.wait(DEADLINE_S)
        return self.arrived

    def link(self) -> str:
        """The path of the first link of the newest letter."""
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
    """The pages of the bridge go by these settings from now on."""
    letters = Letters(mail, bridge.app_state.counters)
    box = Mailbox(letters)
    bridge.guests.append(letters.close)
    patch.setattr("cloud_bridge.alerts.letters.send_mail", box.send)
    patch.setattr(invitations, "send_mail", box.send)
    app: Any = bridge.client.app
    new = replace(bridge.app_state.settings, sign_up=sign_up, mail=mail, **settings)
    app.state.bridge = replace(bridge.app_state, settings=new, letters=letters)
    return box
