"""Targets of push services as the parts that their addresses are built from (alerts/services.py), no longer as apprise's
URLs. A target of another form, one with a second address or with options, stays as it is under `push`: nothing is sent to
it, and its owner's page says so.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# The forms without options: https://github.com/caronc/apprise/wiki, as of version 1.9
FORMS = {
    "discord": re.compile(r"discord://([0-9]{17,20})/([A-Za-z0-9_-]{60,100})/?"),
    "pushover": re.compile(r"pover://([A-Za-z0-9]{30})@([A-Za-z0-9]{30})/?"),
    "slack": re.compile(r"slack://(T[A-Z0-9]{6,16})/(B[A-Z0-9]{6,16})/([A-Za-z0-9]{20,40})/?"),
    "telegram": re.compile(r"tgram://([0-9]{6,12}:[A-Za-z0-9_-]{30,60})/(-?[0-9]{1,16}|@[A-Za-z][A-Za-z0-9_]{4,31})/?"),
}


def upgrade() -> None:
    connection = op.get_bind()
    query = sa.text("SELECT id, person_id, about, target FROM alert_wishes WHERE via = 'push' ORDER BY id")
    taken: set[tuple[int, str, str, str]] = set()
    for row_id, person_id, about, target in connection.execute(query).all():
        for via, form in FORMS.items():
            found = form.fullmatch(target)
            if found is None:
                continue
            parts = " ".join(found.groups())
            if (person_id, about, via, parts) not in taken:  # the same written in two ways stays once
                taken.add((person_id, about, via, parts))
                statement = sa.text("UPDATE alert_wishes SET via = :via, target = :target WHERE id = :id")
                connection.execute(statement, {"via": via, "target": parts, "id": row_id})
