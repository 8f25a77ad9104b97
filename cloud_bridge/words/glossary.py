"""The terms on the pages with their meanings: one word for one thing, in every language. `/glossary` shows them."""

from typing import NamedTuple

from cloud_bridge.words import N_


class Term(NamedTuple):
    """A term. Both fields are messages of the catalogue."""

    word: str
    meaning: str


TERMS = (
    Term(N_("Charger"), N_("The unit on your wall that charges the vehicle.")),
    Term(N_("Vehicle"), N_("What is charged. We know it only if you have connected its account.")),
    Term(N_("Session"), N_("From plugging a vehicle in to unplugging it, with the energy it took.")),
    Term(
        N_("Last contacted"),
        N_("When we received the newest message from your charger. What stands below is as it was then."),
    ),
    Term(
        N_("Silent"),
        N_("We have not heard from your charger for half an hour. It may well charge meanwhile."),
    ),
    Term(
        N_("Outage"),
        N_("A time in which our own service did not listen. It never counts as silence of your charger."),
    ),
    Term(N_("Hours"), N_("When your charger may charge. Outside of them it waits, unless you press Charge now.")),
    Term(N_("Charge now"), N_("Charging begins at once, whatever the hours say, until the vehicle is unplugged.")),
    Term(N_("Limit"), N_("The most current that your charger may offer, for a time that you set.")),
    Term(N_("Pause"), N_("Nothing is charged until it ends, by itself or by you.")),
    Term(
        N_("Ready by"),
        N_("When your vehicle is to be charged. We watch whether it will be, and tell you if not."),
    ),
    Term(N_("Tariff"), N_("What a kilowatt-hour costs you, and when it is cheap. Costs are reckoned from it.")),
    Term(N_("Off-peak"), N_("The hours in which your tariff is cheap.")),
    Term(N_("Signal"), N_("How well your charger hears its mobile network, as CSQ from 0 to 31. Above 14 is good.")),
    Term(N_("Red light"), N_("The charger has found a fault and has stopped. Its page says what, and what to do.")),
    Term(N_("Fault"), N_("What makes the charger stop, for safety.")),
    Term(N_("Claim code"), N_("The code on the label of your charger. Whoever has it makes the charger theirs.")),
    Term(N_("Support"), N_("The people who answer you here, and who send an installer if one is needed.")),
    Term(N_("Installer"), N_("Who fits your charger, and comes when its signal or its wiring needs work.")),
    Term(
        N_("Update"),
        N_("New firmware for your charger. It loads while no vehicle charges."),
    ),
    Term(N_("Second factor"), N_("A code of an app beside your password, so that the password alone lets nobody in.")),
    Term(N_("Passkey"), N_("A key that your device keeps. You log in with it instead of a password.")),
)
