"""The promises of the product, in the words of its mission. Their checks: promises.py, orders.py, roaming.py,
bounds.py.
"""

CHARGES = "It charges, always: no network, no cloud and no command keeps a car from its charge."
HOURS = "It does not charge in the hours that its owner wants to avoid, and does when they are over."
RED = "The light is red if and only if the charge point itself has a fault; silence of the network is never red."
OPENS = "A fault, or the plug, opens the contactor within 100 ms (IEC 61851-1)."
LIMITS = "No current above any limit: the circuit's, the cable's, or one that the cloud has ordered and that was taken."
OBEYS = "A command is carried out once, and none that is over."
ONCE = "Every record that was acknowledged is in the database, once."
CONTACT = "Last contact is never false; silence is never shown within 30 minutes of a message, and always after."
OWNERS = "A new owner is shown nothing of the one before."
ROAMS = "It roams when that would help, within its budgets: four scans and three switches a day."
BACK = "Off for 30 s and on again, it is back; and whenever the cause of a loss has gone."
AIR = "An idle month costs 1 MB on the air at most; the unit's own count of it is within 2 %."
WEAR = "The flash outlives ten years."
MEMORY = "What waits is bounded."
SOUND = "No part of it fails by itself: no crash, no reset by the watchdog."
PROMISES = (*(CHARGES, HOURS, RED, OPENS, LIMITS, OBEYS, ONCE, CONTACT, OWNERS, ROAMS, BACK, AIR, WEAR, MEMORY, SOUND),)
