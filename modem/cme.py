"""Names of +CME ERROR codes. Source: 27.007, 9.2, and the SIM800 Series AT Command Manual V1.12, p.329-331."""

# One string instead of a dict: on a board the string stays in flash, the entries of a dict take RAM.
NAMES = """
0 phone failure
3 operation not allowed
4 operation not supported
5 PH-SIM PIN required
10 SIM not inserted
11 SIM PIN required
12 SIM PUK required
13 SIM failure
14 SIM busy
15 SIM wrong
16 incorrect password
17 SIM PIN2 required
18 SIM PUK2 required
20 memory full
21 invalid index
22 not found
23 memory failure
26 dial string too long
30 no network service
31 network timeout
32 network not allowed, emergency calls only
40 network personalisation PIN required
100 unknown
103 illegal MS
106 illegal ME
107 GPRS services not allowed
111 PLMN not allowed
112 location area not allowed
113 roaming not allowed in this location area
132 service option not supported
133 requested service option not subscribed
134 service option temporarily out of order
148 unspecified GPRS error
149 PDP authentication failure
150 invalid mobile class
160 DNS resolve failed
161 socket open failed
180 GPRS not attached
181 TCP/IP busy
609 COPS aborted
770 SIM network reject
772 SIM powered down
797 CFUN state is 0 or 4
"""


def name(code: int) -> str | None:
    """Return the text of a +CME ERROR code, None if the sources do not define it."""
    for line in NAMES.split("\n"):
        if line.startswith("%d " % code):
            return line.partition(" ")[2]
    return None


def code_and_name(name: str) -> tuple[int, str] | None:
    """Return (code, name) of a verbose +CME ERROR text, compared without case; None if the sources do not define it."""
    for line in NAMES.split("\n"):
        code, _, known = line.partition(" ")
        if known and known.lower() == name.lower():
            return int(code), known
    return None
