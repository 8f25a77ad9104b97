"""Settings of chargers that speak OCPP."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    op.create_table(
        "ocpp_settings",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("wanted", sa.String(length=100), nullable=True),
        sa.Column("answered", sa.String(length=10), nullable=True),
        sa.Column("value", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_ocpp_settings_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "name", name="pk_ocpp_settings"),
    )
