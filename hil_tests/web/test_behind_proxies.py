"""Do the configurations in cloud_bridge/deploy work: TLS ends in Debian's nginx or Caddy, at the root of a host or below a
path?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from hil_tests.environment.errors import SetUpError
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.ports import free_ports
from hil_tests.guide.blocks import read
from hil_tests.web.caddy import Caddy, find_caddy
from hil_tests.web.cloud_fixture import CHROMIUM, PATIENCE_MS, WebCloudFixture
from hil_tests.web.letters import Letters
from hil_tests.web.nginx import Nginx, find_nginx

PAGE = CHECKOUT / "cloud_bridge" / "deploy" / "proxies.md"
ROOTS = {"/": "", "/chargers/": "/chargers"}  # `location` of nginx -> path of the public URL


class Site(NamedTuple):
    """A cloud behind a proxy, and a browser that is connected through the proxy."""

    url: str
    root: str
    cloud: WebCloudFixture
    page: Page
    access_log: Path | None  # None for Caddy, which writes none


def lines_of(language: str, words: str) -> str:
    """Return the code block of the page that contains these words."""
    return next(block.text for block in read(PAGE) if block.language == language and words in block.text)


def start_nginx(program: Path, folder: Path, location: str, bridge: str, ports: tuple[int, int]) -> Nginx:
    https, plain = ports
    servers = lines_of("nginx", f"location {location} {{")
    for written, here in {
        r"listen 443": f"listen 127.0.0.1:{https}",
        r"listen \[::\]:443": f"listen [::1]:{https}",
        r"listen 80": f"listen 127.0.0.1:{plain}",
        r"listen \[::\]:80": f"listen [::1]:{plain}",
        r"/etc/ssl/[a-z./]*\.pem": str(folder / "tls" / "server.pem"),
        r"/etc/ssl/[a-z./]*\.key": str(folder / "tls" / "server.key"),
        r"/var/log/nginx": str(folder),
        r"http://127\.0\.0\.1:8080;": bridge,
    }.items():
        servers = re.sub(written, here, servers)
    return Nginx(program, folder / "nginx", servers, https)


def start_caddy(program: Path, folder: Path, bridge_port: int, https: int) -> Caddy:
    """Start Caddy with our certificate instead of one from a public authority."""
    certificate = f"tls {folder}/tls/server.pem {folder}/tls/server.key"
    lines = lines_of("caddy", "127.0.0.1:8080").replace("127.0.0.1:8080", f"127.0.0.1:{bridge_port}")
    own = f"https://localhost:{https} {{\n    {certificate}"
    return Caddy(program, folder / "caddy", lines.replace("chargers.example {", own), https)


@pytest.fixture(scope="module", params=[*ROOTS, "/chargers/ taken off", "/ by Caddy"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, letters: Letters, browser: Browser
) -> Iterator[Site]:
    """Dora has a charger that charges. With "taken off", nginx removes the path before it forwards a request."""
    location, _, manner = request.param.partition(" ")
    try:
        program = find_caddy() if manner == "by Caddy" else find_nginx()
    except SetUpError as error:
        pytest.skip(f"no proxy: {error}")
    root = ROOTS[location]
    https, plain = free_ports(2)
    url = f"https://localhost:{https}{root}"
    folder = tmp_path_factory.mktemp("behind nginx".replace(" ", "-"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHARGEKEEPER_PUBLIC_URL", url)
        environment.setenv("CHARGEKEEPER_PROXIES", "127.0.0.1,::1")
        environment.setenv("CHARGEKEEPER_MAIL", letters.address)
        cloud = WebCloudFixture(folder, tls=True)
    if manner == "by Caddy":
        proxy: Nginx | Caddy = start_caddy(program, folder, cloud.http_port, https)
    else:
        slash = "/" if manner == "taken off" else ""
        proxy = start_nginx(program, folder, location, f"http://127.0.0.1:{cloud.http_port}{slash};", (https, plain))
    try:
        cloud.person("dora", "driver")
        charger = cloud.charger("CK-0001", "dora")
        charger.report("heartbeat", s="A1", m="smart", q=18, o="23415", a=0, w=0, e=124000, f=[])
        ours = browser.browser_type.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--ignore-certificate-errors"]
        )
        page = ours.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{url}/login")
        page.get_by_label("Name").fill("dora")
        page.get_by_label("Password").fill(cloud.logins["dora"])
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url(f"{url}/")
        yield Site(url, root, cloud, page, None if manner == "by Caddy" else folder / "access.log")
        ours.close()
    finally:
        proxy.close()
        cloud.stop()


def test_cookies_are_secure_and_stay_below_the_path(site: Site) -> None:
    cookies = [one for one in site.page.context.cookies() if "chargekeeper" in one["name"]]
    prefix = "__Secure-" if site.root else "__Host-"
    assert cookies and all(one["name"].startswith(prefix) for one in cookies)
    for cookie in cookies:
        assert (cookie["secure"], cookie["httpOnly"], cookie["path"]) == (True, True, site.root or "/")


def test_every_page_that_the_navigation_leads_to_is_there(site: Site) -> None:
    page = site.page
    failed: list[str] = []
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    page.goto(site.url)
    for name in ("Support", "Account", "Charger", "Service status"):
        page.get_by_role("link", name=name, exact=True).first.click()
        page.wait_for_load_state()
        assert page.url.startswith(site.url)
    assert not failed


def test_the_dashboard_is_live_through_the_proxy(site: Site) -> None:
    site.page.goto(f"{site.url}/charge-points/CK-0001")
    expect(site.page.locator("#state")).not_to_have_text("Charging")
    site.cloud.chargers[0].report("heartbeat", s="C2", m="smart", q=17, o="23415", a=32, w=7360, e=128200, f=[])
    expect(site.page.locator("#state")).to_have_text("Charging")
    links = site.page.locator("#board a[href^='/'], #board form[action^='/']")
    for link in links.all():
        target = link.get_attribute("href") or link.get_attribute("action") or ""
        assert target.startswith(f"{site.root}/"), target


def test_htmx_and_forms_work_below_the_path(site: Site) -> None:
    page = site.page
    page.goto(f"{site.url}/charge-points/CK-0001")
    with page.expect_response(lambda response: response.request.headers.get("hx-request") == "true") as asked:
        page.get_by_role("button", name="Refresh").click()
    assert asked.value.status == 200
    page.goto(f"{site.url}/account/details")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert page.url.startswith(f"{site.url}/account")


def test_the_service_worker_and_the_manifest_lie_below_the_path(site: Site) -> None:
    page = site.page
    page.goto(f"{site.url}/status")
    scope = page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.scope)")
    assert scope == f"{site.url}/"
    manifest = page.request.get(page.locator("link[rel=manifest]").evaluate("(link) => link.href")).json()
    assert manifest["scope"] == f"{site.root}/"
    page.context.set_offline(True)
    try:
        page.goto(f"{site.url}/account")
        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    finally:
        page.context.set_offline(False)


def test_a_letter_leads_back_through_the_proxy(site: Site, letters: Letters) -> None:
    page = site.page
    page.goto(f"{site.url}/account/email")
    page.locator("input[name=address]").fill("dora@example.org")
    page.locator("input[name=password]").fill(site.cloud.logins["dora"])
    page.locator("main form button").first.click()
    page.wait_for_url(f"{site.url}/account/email")
    link = re.findall(r"https://\S+", letters.next(PATIENCE_MS / 1000))[-1]
    assert link.startswith(f"{site.url}/account/email/confirm?code=")
    page.goto(link)
    page.get_by_role("button", name="Yes, use it").click()
    expect(page.get_by_text("dora@example.org")).to_be_visible()
    if site.access_log is not None:
        logged = site.access_log.read_text()
        assert "/account/email/confirm" in logged and link.partition("code=")[2] not in logged


def test_the_path_without_its_slash_leads_to_the_first_page(site: Site) -> None:
    site.page.goto(site.url)
    assert site.page.url == f"{site.url}/"


def test_logging_out_leads_to_the_login_below_the_path(site: Site) -> None:
    """Runs last, because it logs dora out."""
    site.page.goto(f"{site.url}/account")
    site.page.get_by_role("button", name="Log out").click()
    site.page.wait_for_url(f"{site.url}/login")
