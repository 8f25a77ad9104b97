"""Can a person see and end their own logins, and nobody else's?"""

import re

from cloud_bridge.store.access import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import Bridge


def ids(visitor: Visitor) -> list[str]:
    return re.findall(r"/account/sessions/([0-9a-f]{16})/end", visitor.get("/account/sessions"))


def is_logged_in(visitor: Visitor) -> bool:
    return "Log out" in visitor.client.get("/account").text


def test_another_browser_is_seen_and_logged_out(bridge: Bridge) -> None:
    phone, desk = Visitor(bridge, "ann", Role.DRIVER), Visitor(bridge, "ann")
    assert phone.read("/account/sessions").count("This browser") == 1
    (other,) = ids(phone)
    assert phone.post(f"/account/sessions/{other}/end", "/account/sessions").status_code == 200
    assert is_logged_in(phone) and not is_logged_in(desk)
    assert ids(phone) == []


def test_all_others_end_at_once(bridge: Bridge) -> None:
    here, *others = [Visitor(bridge, "ann", Role.DRIVER), *(Visitor(bridge, "ann") for _ in range(3))]
    here.post("/account/sessions/end-others", "/account/sessions")
    assert is_logged_in(here) and not any(is_logged_in(one) for one in others)


def test_nobody_ends_somebody_elses(bridge: Bridge) -> None:
    ann, _, eve = Visitor(bridge, "ann", Role.DRIVER), Visitor(bridge, "ann"), Visitor(bridge, "eve", Role.DRIVER)
    Visitor(bridge, "eve")
    (other,) = ids(ann)
    assert eve.post(f"/account/sessions/{other}/end", "/account/sessions").status_code == 404
    assert ids(ann) == [other]
    eve.post("/account/sessions/end-others", "/account/sessions")
    assert is_logged_in(ann)
