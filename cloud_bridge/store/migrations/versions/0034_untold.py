"""A row says itself whether people have still to be alerted to it (store/untold.py); a cursor passed some by."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

# By their cursors, how far the alerts had read.
CURSORS = {
    "transitions": "transitions",
    "events": "events",
    "duplicate_identities": "duplicates",
    "job_events": "job_events",
    "messages": "messages",
}


def upgrade() -> None:
    for table, cursor in CURSORS.items():
        op.add_column(table, sa.Column("untold", sa.Boolean(), nullable=False, server_default=sa.false()))
        seen = f"coalesce((SELECT seen_id FROM alert_cursors WHERE name = '{cursor}'), 0)"
        op.execute(f"UPDATE {table} SET untold = true WHERE id > {seen}")
        is_untold = sa.text("untold") if op.get_bind().dialect.name == "postgresql" else sa.text("untold = 1")
        op.create_index(f"ix_{table}_untold", table, ["id"], sqlite_where=is_untold, postgresql_where=is_untold)
        op.execute(f"DELETE FROM alert_cursors WHERE name = '{cursor}'")
