"""Since when a car account has refused in the same words, by the time that has verifiably passed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("vehicles", sa.Column("refused_ms", sa.BigInteger(), nullable=True))
