"""Does /docs show the interface under our CSP, from our own files, and can a command be tried there with a token?"""

from playwright.sync_api import Browser, ConsoleMessage, Request, expect

from hil_tests.web.axe import axe_script, violations
from hil_tests.web.cloud_fixture import PATIENCE_MS, WebCloudFixture

THEIRS = {"heading-order", "region"}  # axe rules that Swagger UI violates: both moderate, best practice


def test_a_command_is_tried_out_and_nobody_else_is_asked(browser: Browser, place: WebCloudFixture) -> None:
    place.person("dan", "driver")
    charger = place.charger("CK-0900", "dan")
    charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=0, f=[])
    token = place.command("token", "add", "--user", "dan", "--scope", "read", "--scope", "command")["token"]
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    place.log_in(page, "dan")
    asked: list[str] = []
    said: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("request", note)
    page.on("console", hear)
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{place.address}/docs")
    order = page.locator(".opblock-post", has_text="/commands")
    expect(order).to_be_visible()
    found = violations(page, axe_script())
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").last.click()
    order.get_by_role("button").first.click()
    order.get_by_role("button", name="Try it out").click()
    order.get_by_placeholder("unit_id").fill("CK-0900")
    order.locator("textarea").fill('{"do": "charge_now"}')
    order.get_by_role("button", name="Execute").click()
    answer = order.locator(".live-responses-table")
    expect(answer).to_contain_text('"status": "waiting"')
    expect(answer).to_contain_text("202")
    assert {rule.split(":")[0] for rule in found} == THEIRS, found
    assert said == []
    assert len(asked) > 4 and all(url.startswith((place.address, "data:")) for url in asked), asked
    page.context.close()
