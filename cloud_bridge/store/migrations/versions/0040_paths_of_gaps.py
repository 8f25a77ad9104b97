"""Which path was deaf in a gap of ours, and on which one a unit was before a gap of its own.

Of gaps that are there already nobody knows: ours were those of every path, and the units' were on any.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    op.add_column("contact_gaps", sa.Column("path", sa.Integer(), nullable=True))
    op.execute("ALTER TABLE listening_gaps RENAME TO old_listening_gaps")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE old_listening_gaps DROP CONSTRAINT pk_listening_gaps")
    op.create_table(
        "listening_gaps",
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Integer(), autoincrement=False, server_default="0", nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("from_ms", "path", name="pk_listening_gaps"),
    )
    op.execute("INSERT INTO listening_gaps (from_ms, to_ms) SELECT from_ms, to_ms FROM old_listening_gaps")
    op.drop_table("old_listening_gaps")
