"""Does a passkey log a driver in, with Chromium's own authenticator, until it is removed? Is there no button without
scripts?"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.visitor import Visitor

AUTHENTICATOR = {  # https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}
BUTTON = "Log in with a passkey"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebCloudFixture]:
    place = WebCloudFixture(tmp_path_factory.mktemp("passkeys"), named=True)
    try:
        place.person("dora", "driver")
        yield place
    finally:
        place.stop()


class Authenticator:
    """The virtual authenticator of a visitor's tab. `touch` sets whether a user is present."""

    def __init__(self, visitor: Visitor) -> None:
        self._session: CDPSession = visitor.page.context.new_cdp_session(visitor.page)
        self._session.send("WebAuthn.enable")
        self._id = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    def touch(self, is_there: bool) -> None:
        state = {"authenticatorId": self._id, "enabled": is_there}
        self._session.send("WebAuthn.setAutomaticPresenceSimulation", state)


def test_a_passkey_is_added_used_and_removed(browser: Browser, place: WebCloudFixture) -> None:
    dora = Visitor(browser, place, "dora", "phone")
    authenticator = Authenticator(dora)
    authenticator.touch(True)
    dora.clicks("Account")
    dora.clicks("Passkeys")
    dora.comes_to("Passkeys")
    dora.fills(password=place.logins["dora"])
    dora.clicks("Continue")
    dora.comes_to("Add a passkey")
    dora.fills(name="My phone")
    dora.clicks("Create the passkey")
    dora.comes_to("Passkeys")
    dora.sees("My phone")
    dora.sees("Not used yet.")

    authenticator.touch(False)
    dora.clicks("Account")
    dora.clicks("Log out")
    dora.comes_to("Log in")
    authenticator.touch(True)  # from now on, the authenticator confirms a passkey suggested in the name field at once
    dora.page.reload()
    dora.page.wait_for_url(f"{place.address}/")

    dora.page.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = undefined")
    dora.clicks("Account")
    dora.clicks("Log out")
    dora.comes_to("Log in")
    dora.clicks(BUTTON)
    dora.page.wait_for_url(f"{place.address}/")
    dora.goes_to("/account/passkeys")
    dora.sees("Last used")

    dora.page.get_by_text("Rename or remove").click()
    dora.comes_to("Passkeys")
    dora.clicks("Remove My phone")
    expect(dora.page.get_by_text("My phone")).to_have_count(0)
    dora.clicks("Account")
    dora.clicks("Log out")
    dora.comes_to("Log in")
    dora.clicks(BUTTON)
    dora.sees("That passkey was not accepted")
    dora.comes_to("Log in")
    dora.leaves()


def test_without_scripts_the_password_logs_in_and_no_button_is_dead(browser: Browser, place: WebCloudFixture) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "dora")
    page.goto(f"{place.address}/account/passkeys")
    expect(page.get_by_text("This browser cannot add a passkey")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    page.context.clear_cookies()
    page.goto(f"{place.address}/login")
    expect(page.get_by_role("button")).to_have_text(["Log in"])
    page.context.close()
