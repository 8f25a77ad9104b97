"""Units that are shown to an OCPP back-end of somebody else."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    op.create_table(
        "northbound",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("identity", sa.String(length=48), nullable=False),
        sa.Column("secret", sa.String(length=40), nullable=False),
        sa.Column("id_tag", sa.String(length=20), nullable=False),
        sa.Column("may_command", sa.Boolean(), nullable=False),
        sa.Column("told_id", sa.BigInteger(), nullable=False),
        sa.Column("open_transaction", sa.Text(), nullable=True),
        sa.Column("dropped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("connected_ms", sa.BigInteger(), nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("refused_ms", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.String(length=200), nullable=True),
        sa.Column("refused_detail", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_northbound_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_northbound"),
    )
