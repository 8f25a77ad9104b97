"""A unit's secret as an outside broker's password file wants it; units from before need a new secret to get one."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("units", sa.Column("broker_hash", sa.String(length=200), nullable=True))
