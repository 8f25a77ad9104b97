"""Can a driver switch notifications on in a browser, see one, and get to the charger with a click?

No push service takes part: a stand-in replaces the browser's subscription, and messages arrive over the browser's debugging
port.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.visitor import Visitor

TURN_MS, TURNS = 50, 600  # to wait until the browser has registered its service worker
PUSH_MANAGER = """
class Subscription {
  constructor(key) { this.key = key; }
  toJSON() { return { endpoint: "https://push.example/1", keys: { p256dh: this.key, auth: "AAAAAAAAAAAAAAAAAAAAAA" } }; }
  async unsubscribe() { localStorage.removeItem("subscribed"); }
}
PushManager.prototype.getSubscription = async () => {
  const key = localStorage.getItem("subscribed");
  return key && new Subscription(key);
};
PushManager.prototype.subscribe = async (options) => {
  if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("refused");
  const { publicKey } = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const raw = String.fromCharCode(...new Uint8Array(await crypto.subtle.exportKey("raw", publicKey)));
  const key = btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  localStorage.setItem("subscribed", key);
  return new Subscription(key);
};
Object.defineProperty(Notification, "permission", { get: () => "granted" });
Notification.requestPermission = async () => "granted";
"""
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map((one) => [one.title, one.body, one.tag])"""
CLICKED = """async () => {
  self.clients.openWindow = async (url) => { self.opened = url; };
  const [notification] = await self.registration.getNotifications();
  const event = new NotificationEvent("notificationclick", { notification });
  self.dispatchEvent(event);
  for (let turn = 0; turn < 100 && !self.opened; turn += 1) await new Promise((done) => setTimeout(done, 50));
  const opened = self.opened;
  self.opened = undefined;
  return opened;
}"""


@pytest.fixture
def dora(whole_browser: Browser, place: WebCloudFixture) -> Iterator[Visitor]:
    dora = Visitor(whole_browser, place, "dora", "phone")
    dora.page.context.grant_permissions(["notifications"])
    dora.page.add_init_script(PUSH_MANAGER)
    yield dora
    dora.leaves()


def test_a_browser_is_notified_and_a_click_leads_to_the_charger(dora: Visitor, place: WebCloudFixture) -> None:
    page = dora.page
    dora.goes_to("/account/notifications")
    dora.comes_to("Notifications")
    dora.clicks("Notify me on this device")
    dora.sees("This device is notified.")
    dora.comes_to("Notifications")
    fault = page.get_by_role("checkbox", name="It shows a red light: My devices")
    expect(fault).to_be_checked()
    fault.uncheck()
    dora.clicks("Save")
    dora.sees("Saved.")
    expect(fault).not_to_be_checked()

    for path, opened in (("/charge-points/CK-0001", "/charge-points/CK-0001"), ("//evil.example/x", "/")):
        _push(dora, place, {"title": "Chargekeeper", "body": "It is back.", "path": path, "tag": "contact CK-0001"})
        page.wait_for_function(f"({SHOWN})().then((all) => all.length === 1)")
        assert page.evaluate(SHOWN) == [["Chargekeeper", "It is back.", "contact CK-0001"]]
        assert page.context.service_workers[0].evaluate(CLICKED) == f"{place.address}{opened}"

    page.get_by_role("button", name="Remove the device").click()
    expect(page.get_by_role("button", name="Notify me on this device")).to_be_visible()
    assert page.evaluate("localStorage.getItem('subscribed')") is None


def _push(visitor: Visitor, place: WebCloudFixture, told: dict[str, Any]) -> None:
    """Deliver a message to the service worker, decrypted, as the browser does after its push service."""
    found: list[str] = []
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    session.send("ServiceWorker.enable")
    for _ in range(TURNS):
        if not found:
            visitor.page.wait_for_timeout(TURN_MS)
    message = {"origin": place.address, "registrationId": found[-1], "data": json.dumps(told)}
    session.send("ServiceWorker.deliverPushMessage", message)
    session.detach()
