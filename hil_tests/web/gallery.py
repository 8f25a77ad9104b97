"""The pictures of the product, a row each, and the page that shows them by role (hil_tests/screenshots/README.md).

A new picture is a new row; a home that is in another state than those there are belongs in street.py. `make screenshots` takes
all of them, `python -m hil_tests.web.screenshots NAME ...` some.
"""

from typing import NamedTuple

PHONE, DESK = (390, 844), (1280, 900)  # CSS pixels
LIGHT, DARK = "light", "dark"
STREET, RIG, TERMINAL = "street", "rig", "terminal"  # where a picture is taken (screenshots.py)


class Picture(NamedTuple):
    """One picture. `who` is logged in (street.py); `at` is what has to be there, and what the page is scrolled to, as
    CSS says it."""

    name: str
    role: str
    who: str
    path: str
    size: tuple[int, int]
    theme: str
    shows: str
    at: str = ""
    where: str = STREET


PICTURES = (
    Picture(
        "charging", "driver", "dora", "/", PHONE, LIGHT, "Charging now: last contacted at the top, power, car, cost"
    ),
    Picture("dashboard", "driver", "hana", "/", PHONE, DARK, "Plugged in, and waiting for the off-peak hours"),
    Picture("silent", "driver", "sam", "/", PHONE, LIGHT, "Silent for more than 30 minutes: what to do, and who helps"),
    Picture("red-light", "driver", "rita", "/", PHONE, LIGHT, "A red light: what is wrong, and what not to do"),
    Picture(
        "hours", "driver", "dora", "/charge-points/CK-0001/charging", PHONE, LIGHT, "Charge now, hours, limit, pause"
    ),
    Picture(
        "tariff",
        "driver",
        "dora",
        "/charge-points/CK-0001/tariff/octopus-go",
        PHONE,
        LIGHT,
        "A tariff: what it sets, hours and cost together",
    ),
    Picture(
        "history",
        "driver",
        "dora",
        "/charge-points/CK-0001/history?days=30",
        DESK,
        LIGHT,
        "What has been: reach, the signal and the line at 14",
        at="section:has(#signal)",
    ),
    Picture(
        "vehicles", "driver", "dora", "/account/vehicles", PHONE, DARK, "Vehicle Details: the car that is connected"
    ),
    Picture("lost-car", "driver", "lou", "/", PHONE, DARK, "The car's account is lost, and both ways back"),
    Picture("car-only", "driver", "carl", "/", PHONE, LIGHT, "A car, and no charger"),
    Picture("notifications", "driver", "dora", "/account/notifications", PHONE, LIGHT, "What to be told of, and where"),
    Picture(
        "household",
        "driver",
        "dora",
        "/account/units/CK-0001/people",
        PHONE,
        DARK,
        "A charger, shared with a household",
    ),
    Picture("thread", "driver", "sam", "/support/1", PHONE, LIGHT, "A conversation with support"),
    Picture("jobs", "installer", "ingo", "/jobs", PHONE, DARK, "The installer's jobs"),
    Picture(
        "garage",
        "installer",
        "ingo",
        "/jobs/1",
        PHONE,
        LIGHT,
        "On site: the verdict at arm's length, before and after, and the next step at the thumb",
    ),
    Picture(
        "job",
        "installer",
        "ingo",
        "/jobs/1",
        DESK,
        LIGHT,
        "A visit that helped: evidence before and after",
        at='section:has(h2:text-is("Before and after the visit"))',
    ),
    Picture(
        "signal-tool",
        "installer",
        "",
        "python -m modem report --seconds 10 --place Garage",
        (960, 250),
        DARK,
        "On site: the verdict of the signal, and what to do",
        where=TERMINAL,
    ),
    Picture("support", "support", "sue", "/support", DESK, LIGHT, "Who waits for an answer"),
    Picture("support-thread", "support", "sue", "/support/1", DESK, DARK, "A thread, with what the charger told us"),
    Picture(
        "evidence", "support", "sue", "/charge-points/CK-0005/jobs", DESK, LIGHT, "Evidence, advice, and raising a job"
    ),
    Picture("fleet", "operator", "olga", "/fleet", DESK, DARK, "The fleet: who is silent, and since when"),
    Picture("security", "operator", "olga", "/security", DESK, LIGHT, "The security log"),
    Picture("status", "operator", "olga", "/status", DESK, DARK, "How the service itself is"),
    Picture(
        "docs", "program", "olga", "/docs", DESK, LIGHT, "The interface for programs, to try out", at="#docs .opblock"
    ),
    Picture("panel", "rig", "", "", (1280, 1180), LIGHT, "The virtual unit on its wall, to play with", where=RIG),
)
ROLES = {
    "driver": "Drivers",
    "installer": "Installers",
    "support": "Support",
    "operator": "Operators",
    "program": "Programs",
    "rig": "Who tries it out",
}


def page() -> str:
    """The gallery, in Markdown."""
    parts = [
        "# Pictures\n\nMade by `make screenshots`, of the running product; do not edit. The table behind it is"
        " [gallery.py](../web/gallery.py): a row is a picture.\n"
    ]
    for role, title in ROLES.items():
        parts.append(f"\n## {title}\n")
        for picture in PICTURES:
            if picture.role == role:
                width = 260 if picture.size == PHONE else 640
                parts.append(
                    f'\n{picture.shows}\n\n<img src="{picture.name}.webp" width="{width}" alt="{picture.shows}">\n'
                )
    return "".join(parts)
