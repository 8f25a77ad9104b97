"""History: gaps between contacts, silent and back, signal as it came and by five minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("contacts", sa.Column("silent_ms", sa.BigInteger(), nullable=True))
    op.create_index("ix_contacts_silent_ms", "contacts", ["silent_ms"], unique=False)
    op.create_table(
        "contact_gaps",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_contact_gaps_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "from_ms", name="pk_contact_gaps"),
    )
    op.create_index("ix_contact_gaps_to_ms", "contact_gaps", ["to_ms"], unique=False)
    op.create_table(
        "transitions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("contact", sa.String(length=10), nullable=False),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_transitions_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_transitions"),
    )
    op.create_index("ix_transitions_unit_id_at_ms", "transitions", ["unit_id", "at_ms"], unique=False)
    op.create_index("ix_transitions_at_ms", "transitions", ["at_ms"], unique=False)
    op.create_table(
        "signal",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("csq", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_signal_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "received_ms", name="pk_signal"),
    )
    op.create_index("ix_signal_received_ms", "signal", ["received_ms"], unique=False)
    op.create_table(
        "signal_5min",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("operator", sa.String(length=16), nullable=False),
        sa.Column("lowest", sa.Integer(), nullable=False),
        sa.Column("highest", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_signal_5min_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "from_ms", "operator", name="pk_signal_5min"),
    )
    op.create_index("ix_signal_5min_from_ms", "signal_5min", ["from_ms"], unique=False)
