"""The fleet a page at a time: by network and by site, the silent and the never heard each through an index of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("contacts", sa.Column("operator", sa.String(length=16), server_default="", nullable=False))
    op.add_column("units", sa.Column("first_contact_ms", sa.BigInteger(), nullable=True))
    # When it was first heard was not kept until now; the last contact says at least that it was.
    op.execute(
        "UPDATE units SET first_contact_ms = (SELECT last_contact_ms FROM contacts WHERE contacts.unit_id = units.id)"
    )
    op.create_index("ix_units_name_id", "units", ["name", "id"])
    never = sa.text("first_contact_ms IS NULL")
    op.create_index("ix_units_never_heard", "units", ["id"], sqlite_where=never, postgresql_where=never)
    op.create_index("ix_contacts_operator_last_contact_ms", "contacts", ["operator", "last_contact_ms"])
    op.drop_index("ix_contacts_silent_ms", "contacts")
    silent = sa.text("silent_ms IS NOT NULL")
    columns = ["operator", "last_contact_ms", "silent_ms", "unit_id"]
    op.create_index("ix_contacts_silent", "contacts", columns, sqlite_where=silent, postgresql_where=silent)
