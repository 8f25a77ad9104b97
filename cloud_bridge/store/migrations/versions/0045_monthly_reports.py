"""What a monthly report tells of a session beside its energy: the meter at its two ends, and which vehicle was charged.

Of sessions that are there already the meter is not known any more, so nobody looks for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.add_column("vehicles", sa.Column("charging_from_ms", sa.BigInteger(), nullable=True))
    op.add_column("vehicles", sa.Column("charging_until_ms", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("meter_began_wh", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("meter_ended_wh", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("vehicle", sa.String(length=100), nullable=True))
    op.add_column("sessions", sa.Column("vehicle_said", sa.String(length=60), nullable=True))
    op.add_column("sessions", sa.Column("unsettled", sa.Boolean(), nullable=False, server_default=sa.false()))
    is_unsettled = sa.text("unsettled") if op.get_bind().dialect.name == "postgresql" else sa.text("unsettled = 1")
    op.create_index(
        "ix_sessions_unsettled", "sessions", ["id"], sqlite_where=is_unsettled, postgresql_where=is_unsettled
    )
