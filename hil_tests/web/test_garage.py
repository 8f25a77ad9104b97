"""Can an installer do a job on a phone with one thumb: verdict, steps and photos, also over a bad connection?"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from hil_tests.web.axe import axe_script, violations
from hil_tests.web.cloud_fixture import PATIENCE_MS, WebCloudFixture

WIDTH, HEIGHT = 390, 844
TARGET = 48  # CSS pixels
HEIC = Path(__file__).parents[2] / "tests" / "samples" / "photos" / "phone.heic"


@pytest.fixture
def mobile(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark", has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def photo(colour: str) -> bytes:
    """Return a photo as large as a phone's, which the page shrinks."""
    out = BytesIO()
    image = Image.effect_noise((2400, 1800), 30).convert("RGB")
    image.paste(colour, (300, 300, 1500, 1500))
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def sends(page: Page, content: bytes, name: str = "photo.jpg") -> None:
    page.locator("#photo input[type=file]").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": content})


def button_of_step(page: Page, name: str) -> Locator:
    """Return the step's large button, which must be alone in the lower third of the phone and as wide as the phone."""
    step = (
        page.locator(".thumb")
        .get_by_role("button", name=name)
        .or_(page.locator(".thumb").get_by_role("link", name=name))
    )
    expect(step).to_be_visible()
    box = step.bounding_box()
    assert box is not None and box["height"] >= TARGET and box["width"] > WIDTH * 0.9
    assert box["y"] > HEIGHT * 2 / 3 and box["y"] + box["height"] <= HEIGHT
    return step


def small_targets(page: Page) -> list[str]:
    """Return the controls of forms and of the navigation at the thumb that are too small."""
    found: list[str] = page.evaluate(
        """(least) => [...document.querySelectorAll("main :is(button, summary, select, label.take, .thumb a), .tabs a")]
        .filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
        .filter(([, box]) => box.height < least || box.width < least)
        .map(([one, box]) => `${one.textContent.trim()}: ${box.width} x ${box.height}`)""",
        TARGET,
    )
    return found


def looks_well(page: Page) -> None:
    """In both themes: no violation of axe's rules, no control that is too small, nothing cut off."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page, axe_script()) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_job_in_a_cold_garage(mobile: Page, place: WebCloudFixture, browser: Browser) -> None:
    unit_id, installer, driver = "CK-garage", "gil", "gus"
    place.person(installer, "installer")
    place.person(driver, "driver")
    charger = place.charger(unit_id, driver)
    place.command("unit", "assign", unit_id, installer)
    charger.report("heartbeat", s="A1", m="smart", q=11, o="23415", a=0, w=0, e=1, f=[])
    support = browser.new_context().new_page()
    place.log_in(support, "sue")
    support.goto(f"{place.address}/charge-points/{unit_id}/jobs")
    support.get_by_role("button", name="Raise it").click()
    job = re.sub(r"[?#].*", "", support.url)

    place.log_in(mobile, installer)
    mobile.goto(job)
    verdict = mobile.locator(".verdict-now")
    expect(verdict).to_contain_text("Too weak: 11 CSQ. Offer a signal boost")
    expect(verdict).to_contain_text("on Vodafone")
    box = verdict.bounding_box()
    assert box is not None and box["height"] >= HEIGHT / 2
    looks_well(mobile)

    button_of_step(mobile, "Accept the job").tap()
    button_of_step(mobile, "I have arrived").focus()
    mobile.keyboard.press("Enter")
    button_of_step(mobile, "Measure: keep as before").tap()
    button_of_step(mobile, "Boost fitted")
    expect(mobile.locator(".compared")).to_contain_text("No change: too weak.")

    lost: list[Route] = []

    def lose_first_answer(route: Route) -> None:
        """Deliver the photo, but lose the answer."""
        if lost:
            route.continue_()
            return
        lost.append(route)
        route.fetch()
        route.abort("connectionreset")

    mobile.route("**/photos", lose_first_answer)
    sends(mobile, photo("darkgreen"))
    expect(mobile.locator(".photos img")).to_have_count(1)
    assert lost, "the first answer was lost"
    mobile.unroute("**/photos")
    sends(mobile, b"This is a text", "photo.jpg")
    expect(mobile.locator("#photo [role=status]")).to_contain_text("That is not a photo")
    expect(mobile.locator(".photos img")).to_have_count(1)
    whole = mobile.request.get(f"{job}/photos/{_newest(mobile)}/whole")
    with Image.open(BytesIO(whole.body())) as image:
        assert image.format == "JPEG" and max(image.size) == 1600 and not image.getexif()

    button_of_step(mobile, "Boost fitted").tap()
    button_of_step(mobile, "Done: close the job")
    expect(mobile.locator(".compared")).to_contain_text("Waiting for a reading")
    charger.report("heartbeat", s="A1", m="smart", q=19, o="23430", a=0, w=0, e=1, f=[], n=9)
    expect(verdict).to_contain_text("Good: 19 CSQ, needs more than 14")
    expect(mobile.locator(".compared")).to_contain_text("8 better: it is good now.")
    sends(mobile, photo("maroon"))
    expect(mobile.locator(".photos img")).to_have_count(2)
    expect(mobile.locator(".photos")).to_contain_text("After the work")
    looks_well(mobile)

    button_of_step(mobile, "Done: close the job").tap()
    expect(mobile.get_by_label("What was done")).to_have_value("Signal boost fitted: CSQ 11 before, CSQ 19 after.")
    mobile.get_by_role("button", name="Close the job", exact=True).tap()
    expect(mobile.locator("main")).to_contain_text("Outcome: Signal boost fitted: CSQ 11 before, CSQ 19 after.")
    expect(mobile.locator(".photos")).to_have_count(0)
    assert mobile.request.get(f"{job}/photos/1/whole").status == 404
    support.goto(job)
    expect(support.locator(".photos img")).to_have_count(2)
    support.context.close()


def _newest(page: Page) -> str:
    found = re.search(r"/photos/([0-9]+)/small", page.locator(".photos img").last.get_attribute("src") or "")
    assert found
    return found[1]


def test_what_is_uploaded_is_made_in_a_process_of_its_own(place: WebCloudFixture, browser: Browser) -> None:
    """Without the page's script, so that the file is sent as the phone has it."""
    unit_id, installer = "CK-kinds", "kim"
    place.person(installer, "installer")
    place.charger(unit_id, "dora")
    place.command("unit", "assign", unit_id, installer)
    page = browser.new_context(java_script_enabled=False).new_page()
    place.log_in(page, "sue")
    page.goto(f"{place.address}/charge-points/{unit_id}/jobs")
    page.get_by_role("button", name="Raise it").click()
    for content, says in (
        (HEIC.read_bytes(), "1 of 8"),
        (_bomb(), "may have 64 million pixels"),
        (photo("navy")[:-9000], "only part of it arrived"),
    ):
        sends(page, content)
        page.get_by_role("button", name="Send it").click()
        expect(page.locator("#photos")).to_contain_text(says)
        expect(page.locator(".photos img")).to_have_count(1)
    page.context.close()


def _bomb() -> bytes:
    """Return an empty image of 20,000 by 20,000 pixels, in 50 kB."""
    out = BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG", optimize=False)
    return out.getvalue()
