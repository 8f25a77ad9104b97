"""What chargers that speak OCPP said last, and in which version of it."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    op.add_column("ocpp_lines", sa.Column("version", sa.String(length=20), nullable=True))
    op.add_column("ocpp_lines", sa.Column("usual_after_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "ocpp_frames",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_ours", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("answered", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_ocpp_frames_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "slot", name="pk_ocpp_frames"),
    )
