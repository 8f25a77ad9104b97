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
    beside: str = ""  # the other apps: what they show there, what ours shows, what was taken


PICTURES = (
    Picture(
        "charging",
        "driver",
        "dora",
        "/",
        PHONE,
        LIGHT,
        "Charging now: last contacted at the top, power, Stop, cost",
        beside="Tesla's app opens on the car with its charge, the power, the time left and Stop charging in one view, and"
        " ev.energy shows the energy and cost of the session. Ours has the same figures and one large button, and above"
        " them what neither leads with: when the charger was heard last, so that an old figure is never taken for one of"
        " now. Taken: the power beside the state, one button whose word is what it does, and the cost while it runs. Not"
        " taken: the picture of the car, which would cost more bytes than the rest of the page.",
    ),
    Picture(
        "dashboard",
        "driver",
        "hana",
        "/",
        PHONE,
        DARK,
        "Plugged in, and waiting for the off-peak hours: tonight as a bar",
        beside="Intelligent Octopus lists the slots of tonight, Ohme names the time at which the car is ready, and evcc draws"
        " its plan over the prices. Ours says in one sentence why nothing is charged now and when it begins, and draws"
        " the hours, the cheap hours below them, now, and the time to be ready on one bar until the morning. Taken:"
        " evcc's prices under the plan and Ohme's mark of the departure. Different: the server draws it, so it is there"
        " without scripts, and below it stands the same in words, which is what is read aloud.",
    ),
    Picture(
        "dashboard-desk", "driver", "dora", "/", DESK, DARK, "The same on a desk: status and action, plan and session"
    ),
    Picture(
        "silent",
        "driver",
        "sam",
        "/",
        PHONE,
        LIGHT,
        "Silent for more than 30 minutes: what to do, and who helps",
        beside="Ohme and ev.energy say that a charger is offline, and leave what to do to an article of their help pages."
        " Ours says for how long, that the car can still be charged, what to switch off and on with a timer for the 30"
        " seconds, and has the call for help on the same page. Taken: nothing; their users ask for this in reviews.",
    ),
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
        beside="Home Assistant's energy page has a day's bars by the hour, their cost, and a choice of dates. Ours has bars of"
        " energy and cost by session and day, and beside them what that page does not know: how well the charger reached"
        " us, with each silence, its mobile signal and its changes of network. Taken: the bars, the choice of spans, and"
        " every chart as a table and as a file. Not taken: solar power, batteries and gas, of which we are told nothing.",
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
    Picture("jobs-desk", "installer", "ingo", "/jobs/1", DESK, DARK, "A job on a desk: the list beside it"),
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
    Picture("answer", "support", "sue", "/support/1", PHONE, LIGHT, "An answer to a driver, on a phone"),
    Picture("support-phone", "support", "sue", "/support", PHONE, DARK, "The same on a phone"),
    Picture(
        "support-thread",
        "support",
        "sue",
        "/support/1",
        DESK,
        DARK,
        "Two panes: who waits, and the thread with what the charger told us",
        beside="Octopus is praised for people who answer and see the account; the apps of chargers mostly lead to a form or an"
        " address. Ours keeps the conversation where the charger is, sends what the charger told along with each message,"
        " and shows support the list and the thread side by side. Taken: a person's answer in the thread, and the list"
        " that stays. Not taken: a robot that answers first.",
    ),
    Picture(
        "evidence", "support", "sue", "/charge-points/CK-0005/jobs", DESK, LIGHT, "Evidence, advice, and raising a job"
    ),
    Picture(
        "fleet",
        "operator",
        "olga",
        "/fleet",
        DESK,
        DARK,
        "The fleet as a table: who is silent, by network and site, and since when",
        beside="Home Assistant lists devices in a table that is sorted and filtered, evcc shows its few charge points side by"
        " side; the apps for drivers have no fleet. Ours is a table of any size, a page at a time, sorted by its heads,"
        " with the longest unheard first, and above it how many are silent by network and by site: the mast is seen"
        " before five visits are planned. Taken: the sortable table. Different: its heads are links, so it sorts without"
        " scripts, and each sort walks an index of the store.",
    ),
    Picture("fleet-phone", "operator", "olga", "/fleet", PHONE, LIGHT, "The same on a phone", at=".fleet"),
    Picture("security-phone", "operator", "olga", "/security", PHONE, DARK, "The security log on a phone"),
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
        " [gallery.py](../web/gallery.py): a row is a picture. What is said of other apps is from our knowledge of them up to"
        " 2025: it was neither measured nor looked up for this page.\n"
    ]
    for role, title in ROLES.items():
        parts.append(f"\n## {title}\n")
        for picture in PICTURES:
            if picture.role == role:
                width = 260 if picture.size == PHONE else 640
                parts.append(
                    f'\n{picture.shows}\n\n<img src="{picture.name}.webp" width="{width}" alt="{picture.shows}">\n'
                )
                if picture.beside:
                    parts.append(f"\n*Beside other apps.* {picture.beside}\n")
    return "".join(parts)
