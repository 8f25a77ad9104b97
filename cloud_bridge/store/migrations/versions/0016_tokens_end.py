"""API tokens may end, and tell when they were used last."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("tokens", sa.Column("expires_ms", sa.BigInteger(), nullable=True))
    op.add_column("tokens", sa.Column("used_ms", sa.BigInteger(), nullable=True))
