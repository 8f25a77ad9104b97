"""The pictures of the product, one row each, and the page that shows them by role (hil_tests/screenshots/README.md).

To add a picture, add a row. If it needs a home in a new state, add the home to street.py. `make screenshots` takes all
pictures, and `python -m hil_tests.web.screenshots NAME ...` takes those that are named.
"""

from typing import NamedTuple

PHONE, DESK = (390, 844), (1280, 900)  # CSS pixels
LIGHT, DARK = "light", "dark"
STREET, RIG, TERMINAL = "street", "rig", "terminal"  # where a picture is taken (screenshots.py)


class Picture(NamedTuple):
    """One picture. `who` is the person logged in (street.py). `at` is a CSS selector: the element must exist, and the
    page is scrolled to it."""

    name: str
    role: str
    who: str
    path: str
    size: tuple[int, int]
    theme: str
    shows: str
    at: str = ""
    where: str = STREET
    beside: str = ""  # comparison with other apps: what they show, what ours shows, what was adopted


PICTURES = (
    Picture(
        "charging",
        "driver",
        "dora",
        "/",
        PHONE,
        LIGHT,
        "Charging now: last contact at the top, then power, Stop and cost",
        beside="Tesla's app opens on the car and shows its charge, the power, the time left and Stop charging in one view. "
        "ev.energy shows the energy and cost of the session. Ours shows the same figures and one large button. Above "
        "them it shows what neither leads with: when the charger was last heard from, so that nobody takes an old "
        "figure for a current one. Adopted: the power beside the state, one button whose label is its action, and the "
        "cost during the session. Not adopted: the picture of the car, which would take more bytes than the rest of "
        "the page.",
    ),
    Picture(
        "dashboard",
        "driver",
        "hana",
        "/",
        PHONE,
        DARK,
        "Plugged in, and waiting for the off-peak hours, with tonight as a bar",
        beside="Intelligent Octopus lists the slots of the night, Ohme gives the time at which the car is ready, and evcc "
        "draws its plan over the prices. Ours says in one sentence why it does not charge now and when it will begin. "
        "One bar until the morning shows the hours, the cheap hours below them, the present time, and the time to be "
        "ready. Adopted: evcc's prices under the plan and Ohme's mark of the departure. Different: the server draws "
        "the bar, so it needs no scripts, and the same content is below it in words, for screen readers.",
    ),
    Picture(
        "dashboard-desk",
        "driver",
        "dora",
        "/",
        DESK,
        DARK,
        "The dashboard on a desktop: status and action, plan and session",
    ),
    Picture(
        "silent",
        "driver",
        "sam",
        "/",
        PHONE,
        LIGHT,
        "Silent for more than 30 minutes: what to do, and who can help",
        beside="Ohme and ev.energy say that a charger is offline, and leave the remedy to an article of their help pages. "
        "Ours says for how long, that the car can still be charged, and what to switch off and on, with a timer for "
        "the 30 seconds; the call for help is on the same page. Adopted: nothing; users of those apps ask for this in "
        "reviews.",
    ),
    Picture("red-light", "driver", "rita", "/", PHONE, LIGHT, "A red light: what is wrong, and what not to do"),
    Picture(
        "hours",
        "driver",
        "dora",
        "/charge-points/CK-0001/charging",
        PHONE,
        LIGHT,
        "Controls: charge now, hours, limit, pause",
    ),
    Picture(
        "tariff",
        "driver",
        "dora",
        "/charge-points/CK-0001/tariff/octopus-go",
        PHONE,
        LIGHT,
        "A tariff sets hours and cost together",
    ),
    Picture(
        "history",
        "driver",
        "dora",
        "/charge-points/CK-0001/history?days=30",
        DESK,
        LIGHT,
        "History: contact with the charger, and its signal with the threshold at 14",
        at="section:has(#signal)",
        beside="Home Assistant's energy page has the bars of a day by the hour, their cost, and a choice of dates. Ours has "
        "bars of energy and cost by session and day. Beside them it shows what that page does not know: how well the "
        "charger reached us, with each silence, its mobile signal and its changes of network. Adopted: the bars, the "
        "choice of spans, and every chart as a table and as a file. Not adopted: solar power, batteries and gas, "
        "about which we receive no data.",
    ),
    Picture("vehicles", "driver", "dora", "/account/vehicles", PHONE, DARK, "Vehicle Details: the connected car"),
    Picture(
        "lost-car",
        "driver",
        "lou",
        "/",
        PHONE,
        DARK,
        "Access to the car's account is lost, with both ways to restore it",
    ),
    Picture("car-only", "driver", "carl", "/", PHONE, LIGHT, "A driver with a car and no charger"),
    Picture(
        "notifications",
        "driver",
        "dora",
        "/account/notifications",
        PHONE,
        LIGHT,
        "Notifications: which events, and where they are sent",
    ),
    Picture(
        "household",
        "driver",
        "dora",
        "/account/units/CK-0001/people",
        PHONE,
        DARK,
        "A charger that is shared with a household",
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
        "On site, on a phone: the verdict in large type, before and after, and the next step as a button at the thumb",
    ),
    Picture(
        "job",
        "installer",
        "ingo",
        "/jobs/1",
        DESK,
        LIGHT,
        "A visit that improved the signal: evidence before and after",
        at='section:has(h2:text-is("Before and after the visit"))',
    ),
    Picture("jobs-desk", "installer", "ingo", "/jobs/1", DESK, DARK, "A job on a desktop, beside the list of jobs"),
    Picture(
        "signal-tool",
        "installer",
        "",
        "python -m modem report --seconds 10 --place Garage",
        (960, 250),
        DARK,
        "On site, in the terminal: the verdict on the signal, and what to do",
        where=TERMINAL,
    ),
    Picture("support", "support", "sue", "/support", DESK, LIGHT, "Conversations that wait for an answer"),
    Picture("answer", "support", "sue", "/support/1", PHONE, LIGHT, "An answer to a driver, on a phone"),
    Picture("support-phone", "support", "sue", "/support", PHONE, DARK, "The conversations on a phone"),
    Picture(
        "support-thread",
        "support",
        "sue",
        "/support/1",
        DESK,
        DARK,
        "Two panes: conversations that wait, and one of them with the data from the charger",
        beside="Octopus is praised for people who answer and can see the account; the apps of chargers mostly lead to a form "
        "or an address. Ours keeps the conversation where the charger is, attaches the charger's data to each "
        "message, and shows support the list and the thread side by side. Adopted: a person's answer in the thread, "
        "and the list that stays visible. Not adopted: a robot that answers first.",
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
        "The fleet as a table: which chargers are silent, by network and site, and since when",
        beside="Home Assistant lists devices in a table that can be sorted and filtered, and evcc shows its few charge "
        "points side by side; the apps for drivers have no fleet. Ours is a table of any size, one page at a time, "
        "sorted by its column headings, longest silence first. Above it are the numbers of silent chargers by network "
        "and by site, so that a failed mast is seen before five visits are planned. Adopted: the sortable table. "
        "Different: the column headings are links, so it sorts without scripts, and each sort walks an index of the "
        "store.",
    ),
    Picture("fleet-phone", "operator", "olga", "/fleet", PHONE, LIGHT, "The fleet on a phone", at=".fleet"),
    Picture("security-phone", "operator", "olga", "/security", PHONE, DARK, "The security log on a phone"),
    Picture("security", "operator", "olga", "/security", DESK, LIGHT, "The security log"),
    Picture("status", "operator", "olga", "/status", DESK, DARK, "The state of the service itself"),
    Picture("docs", "program", "olga", "/docs", DESK, LIGHT, "The HTTP interface in Swagger UI", at="#docs .opblock"),
    Picture(
        "panel", "rig", "", "", (1280, 1180), LIGHT, "The panel of the virtual unit, to experiment with", where=RIG
    ),
)
ROLES = {
    "driver": "Drivers",
    "installer": "Installers",
    "support": "Support",
    "operator": "Operators",
    "program": "Programs",
    "rig": "Demo",
}


def page() -> str:
    """Return the gallery in Markdown."""
    parts = [
        "# Pictures\n\n`make screenshots` generates this page and its pictures from the running product; do not edit it. Each"
        " picture is a row of [gallery.py](../web/gallery.py). Statements about other apps are from our knowledge of them up"
        " to 2025, and were neither measured nor looked up for this page.\n"
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
                    parts.append(f"\n*Compared with other apps.* {picture.beside}\n")
    return "".join(parts)
