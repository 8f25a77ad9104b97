"""Is a photo from a phone stored once, and shown only as a picture, and only to those to whom the job is open?"""

from io import BytesIO

import pytest
from httpx2 import Response
from PIL import Image

from cloud_bridge.store.access import Role
from cloud_bridge.store.claims import claim, new_code
from cloud_bridge.store.people import find_person
from cloud_bridge.support.photo import MAX_UPLOAD_BYTES, BadPhoto, Photo, remake
from cloud_bridge.support.photo_process import PhotosBusy
from cloud_bridge.web.security.security_headers import MAX_BODY_BYTES
from tests.cloud_bridge.people import Visitor, entrust, text_of, unit_of
from tests.cloud_bridge.running import Bridge

PATH, CHARGER = "/jobs/1", "/charge-points/home-1"


class Maker:
    """Makes photos in this process, and returns earlier results again."""

    def __init__(self) -> None:
        self.is_busy = False
        self.made: dict[bytes, Photo | BadPhoto] = {}

    async def remake(self, content: bytes) -> Photo:
        if self.is_busy:
            raise PhotosBusy
        if content not in self.made:
            try:
                self.made[content] = remake(content)
            except BadPhoto as error:
                self.made[content] = error
        made = self.made[content]
        if isinstance(made, BadPhoto):
            raise made
        return made


def picture(colour: str = "red", size: tuple[int, int] = (240, 180)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def maker(bridge: Bridge) -> Maker:
    maker = Maker()
    bridge.client.app.state.photos = maker  # type: ignore[attr-defined]  # TestClient types its app as any ASGI app
    return maker


@pytest.fixture
def installer(bridge: Bridge, maker: Maker) -> Visitor:
    """An installer with a job at dora's home-1."""
    unit_of(bridge, "dora")
    installer = Visitor(bridge, "ingo", Role.INSTALLER)
    entrust(bridge, "home-1", "ingo")
    assert Visitor(bridge, "sue", Role.SUPPORT).post(f"{CHARGER}/jobs", reason="Weak").status_code == 200
    return installer


def form_of(visitor: Visitor, path: str = PATH) -> str:
    return visitor.get(path).split('name="form" value="')[1][:64]


def upload(visitor: Visitor, content: bytes, name: str = "photo.jpg", form: str | None = None) -> Response:
    data = {"form": form_of(visitor) if form is None else form}
    return visitor.client.post(f"{PATH}/photos", data=data, files={"photo": (name, content, "image/jpeg")})


def photos(html: str) -> int:
    return html.count('/small"')


def test_a_photo_is_shown_and_is_a_picture_of_our_own_making(installer: Visitor) -> None:
    answer = upload(installer, picture(), "../../etc/passwd.html")
    assert answer.status_code == 200 and answer.url.path == PATH
    assert photos(answer.text) == 1 and "Before the work, Thu 1 Jan, 00:00" in text_of(answer.text)
    for size, side in (("small", 240), ("whole", 240)):
        shown = installer.client.get(f"{PATH}/photos/1/{size}")
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert shown.headers["Content-Disposition"] == 'inline; filename="job-1-1.jpg"'
        assert shown.headers["Cache-Control"] == "private, no-cache"
        with Image.open(BytesIO(shown.content)) as image:
            assert image.size == (side, 180)
        again = installer.client.get(f"{PATH}/photos/1/{size}", headers={"If-None-Match": shown.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert installer.client.get(f"{PATH}/photos/1/huge").status_code == 404


def test_the_same_photo_sent_again_is_there_once(installer: Visitor) -> None:
    for _ in range(3):
        assert photos(upload(installer, picture()).text) == 1
    assert photos(upload(installer, picture("blue")).text) == 2


def test_after_a_boost_it_is_one_of_after(installer: Visitor) -> None:
    for step in ("arrive", "fit"):
        installer.post(f"{PATH}/{step}", PATH)
    assert "After the work" in text_of(upload(installer, picture()).text)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"This is a text", "That is not a photo"),
        (b"", "No photo came with the form"),
        (picture(size=(1, 1)), "too small to show anything"),
        (picture()[:-200], "it is damaged, or only part of it arrived"),
        (picture() + b"\0" * MAX_UPLOAD_BYTES, "That photo is too large: it may have 10 MB"),
    ],
    ids=["text", "empty", "1x1", "half", "large"],
)
def test_what_is_no_photo_has_one_clear_error_beside_the_field(installer: Visitor, content: bytes, says: str) -> None:
    if len(content) > MAX_UPLOAD_BYTES:
        content = content[: MAX_UPLOAD_BYTES + 1]
    answer = upload(installer, content)
    assert answer.status_code in (413, 422)
    told = answer.text.split('<p class="problem" id="problem-photo">')
    assert len(told) == 2 and says in told[1] and "Nothing was stored" in told[1]
    assert photos(installer.get(PATH)) == 0


def test_a_ninth_is_refused_until_one_is_removed(installer: Visitor) -> None:
    for number in range(8):
        assert upload(installer, picture(size=(100 + number, 100))).status_code == 200
    page = installer.get(PATH)
    assert photos(page) == 8 and 'type="file" name="photo"' not in page
    answer = upload(installer, picture())
    assert answer.status_code == 422 and "This job has 8 photos already" in answer.text
    assert photos(installer.post(f"{PATH}/photos/3/remove", PATH).text) == 7
    assert photos(upload(installer, picture()).text) == 8


def test_too_many_in_a_short_time_are_refused_before_they_are_read(installer: Visitor) -> None:
    for _ in range(40):
        upload(installer, b"")
    answer = upload(installer, picture())
    assert answer.status_code == 429 and "Too many photos" in answer.text


def test_when_many_come_at_once_one_is_told_to_try_again(installer: Visitor, maker: Maker) -> None:
    maker.is_busy = True
    answer = upload(installer, picture())
    assert answer.status_code == 503 and "Try again in a minute" in answer.text


def test_a_body_is_bounded_and_elsewhere_as_before(installer: Visitor) -> None:
    for path, most in ((f"{PATH}/photos", MAX_UPLOAD_BYTES + 4096), (f"{PATH}/report", MAX_BODY_BYTES)):
        answer = installer.client.post(path, content=b"x", headers={"Content-Length": str(most + 1)})
        assert answer.status_code == 413 and "a photo up to 10 MB" in answer.text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--b\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\n\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (b"no form", "multipart/form-data"),
        (b"form=x&photo=y", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"", "image/jpeg"),
    ],
)
def test_a_form_that_is_none_is_no_error_of_ours(installer: Visitor, body: bytes, content_type: str) -> None:
    answer = installer.client.post(f"{PATH}/photos", content=body, headers={"Content-Type": content_type})
    assert answer.status_code in (403, 422)
    assert photos(installer.get(PATH)) == 0


def test_another_site_cannot_send_one(installer: Visitor) -> None:
    assert upload(installer, picture(), form="0" * 64).status_code == 403
    assert photos(installer.get(PATH)) == 0


def test_whom_the_job_is_open_to(bridge: Bridge, installer: Visitor) -> None:
    upload(installer, picture())
    owner, support = Visitor(bridge, "dora"), Visitor(bridge, "sue")
    assert photos(owner.get(f"{CHARGER}/support")) == photos(support.get(PATH)) == 1
    others = [Visitor(bridge, "ivan", Role.INSTALLER), Visitor(bridge, "nina", Role.DRIVER)]

    def sees(visitor: Visitor) -> bool:
        answers = {visitor.client.get(f"{PATH}/photos/1/{size}").status_code for size in ("small", "whole")}
        assert answers in ({200}, {404})
        return answers == {200}

    assert [sees(one) for one in (owner, support, installer, *others)] == [True, True, True, False, False]
    for other in (owner, *others):
        assert upload(other, picture("blue"), form=form_of(other, "/account")).status_code == 404
        assert other.post(f"{PATH}/photos/1/remove", "/account").status_code == 404
    stranger = bridge.stranger()
    assert stranger.get(f"{PATH}/photos/1/whole").url.path == "/login"
    assert stranger.post(f"{PATH}/photos", files={"photo": ("a", picture(), "image/jpeg")}).url.path == "/login"
    installer.post(f"{PATH}/close", PATH, outcome="New antenna")
    assert [sees(one) for one in (owner, support, installer)] == [True, True, False]
    for visitor in (installer, support):
        assert upload(visitor, picture("blue"), form=form_of(visitor, "/account")).status_code == 404
    assert photos(installer.get(PATH)) == 0 and photos(owner.get(f"{CHARGER}/support")) == 1


def test_no_photo_of_a_new_home_comes_to_a_former_owners_job(bridge: Bridge, installer: Visitor) -> None:
    upload(installer, picture())
    Visitor(bridge, "dora").post("/account/units/home-1/release", "/account/units/home-1")
    bridge.add_person("nina", "correct horse", Role.DRIVER)
    with bridge.app_state.database.writing() as connection:
        claim(connection, find_person(connection, "nina"), new_code(connection, "home-1"), bridge.clock.now_ms())
    entrust(bridge, "home-1", "ingo")
    page = installer.get(PATH)
    assert photos(page) == 0 and 'name="photo"' not in page
    assert upload(installer, picture("blue")).status_code == 404
    for name in ("dora", "nina", "sue", "ingo"):
        assert Visitor(bridge, name).client.get(f"{PATH}/photos/1/whole").status_code == 404
