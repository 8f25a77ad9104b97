"""Silence is counted in time for which we have listened, and a stamp has beside it how late it may have been.

The count begins now. For a unit that is known to be silent it began long enough ago to be silent still; the others are
given the time that it takes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for table in ("contacts", "listening"):
        for name in ("listened_ms", "latest_ms"):
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("contacts", sa.Column("shard", sa.Integer(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE contacts SET listened_ms = "
        "-1 - (SELECT silent_after_ms FROM units WHERE units.id = contacts.unit_id) WHERE silent_ms IS NOT NULL"
    )
    op.execute("DELETE FROM verified_time WHERE id > 1")
    op.drop_column("verified_time", "wall_ms")
    op.drop_column("verified_time", "since_ms")
