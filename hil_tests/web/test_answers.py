"""Can a driver with a red light ask support, and does the answer appear on the driver's open pages?"""

from playwright.sync_api import Browser, expect

from hil_tests.web.cloud_fixture import WebCloudFixture
from hil_tests.web.visitor import Visitor

NEVER_LOADED_AGAIN = "document.body.dataset.isTheSame === 'yes'"


def test_a_red_light_is_asked_about_and_answered(browser: Browser, place: WebCloudFixture) -> None:
    place.person("rita", "driver")
    charger = place.charger("CK-RED", "rita")
    charger.report("heartbeat", s="A1", m="smart", q=17, o="23415", f=["rcd_dc"])
    driver, support = Visitor(browser, place, "rita", "phone"), Visitor(browser, place, "sue", "desk")
    driver.sees("Earth leakage (DC)")
    driver.comes_to("Stopped by a fault")
    driver.clicks("Ask for help")
    driver.comes_to("Ask for help")
    driver.sees("Sent with your message")
    driver.clicks("Send")
    driver.comes_to("CK-RED")
    driver.clicks("Charger")
    driver.page.evaluate("document.body.dataset.isTheSame = 'yes'")

    support.goes_to("/support")
    support.page.get_by_role("link", name="rita, CK-RED").click()
    support.comes_to("rita, CK-RED")
    support.sees("Faults")
    support.fills(text="Leave it off. An electrician comes tomorrow.")
    support.clicks("Send")

    expect(driver.page.locator(".badge")).to_have_text("1")
    expect(driver.page.get_by_role("link", name="Support", exact=True)).to_have_accessible_description("1 new")
    assert driver.page.evaluate(NEVER_LOADED_AGAIN)
    driver.page.get_by_role("link", name="Support answered you at").click()
    driver.comes_to("CK-RED")
    driver.sees("An electrician comes tomorrow.")
    expect(driver.page.locator(".badge")).to_have_text("")
    own = driver.page.locator("textarea")
    own.press_sequentially("At what ti")
    driver.page.evaluate("document.body.dataset.isTheSame = 'yes'")
    support.fills(text="At nine.")
    support.clicks("Send")
    expect(driver.page.locator("#newest")).to_contain_text("At nine.")
    expect(own).to_have_value("At what ti")
    expect(own).to_be_focused()
    assert driver.page.evaluate(NEVER_LOADED_AGAIN)
    for guest in (driver, support):
        guest.leaves()
