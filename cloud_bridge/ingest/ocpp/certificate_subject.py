"""Read the common name from a client certificate's subject that a proxy passes in RFC 2253 format: nginx's
$ssl_client_s_dn, Caddy's {tls_client_subject}. Pure.

In OCPP's security profile 3 the common name is the identity of the charger. A name with escapes is not accepted,
because proxies escape in different ways.
"""

import re

HEADER = "X-Client-Subject"
MAX_SUBJECT = 1000  # characters
_ATTRIBUTE = re.compile(r"([A-Za-z0-9.]{1,64})=((?:[^\\,+\"=<>;#]|\\.|=)*)")


def common_name(subject: str) -> str | None:
    """Return the common name. Return None if there is none, several, or one with escapes, or if the subject is
    invalid."""
    if len(subject) > MAX_SUBJECT:
        return None
    names: list[str] = []
    at = 0
    while at < len(subject):
        attribute = _ATTRIBUTE.match(subject, at)
        if attribute is None or (attribute.end() < len(subject) and subject[attribute.end()] not in ",+"):
            return None
        if attribute[1].upper() in ("CN", "2.5.4.3", "OID.2.5.4.3"):
            names.append(attribute[2])
        at = attribute.end() + 1
    return names[0] if len(names) == 1 and names[0] and "\\" not in names[0] else None
