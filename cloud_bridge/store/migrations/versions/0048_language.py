"""The language that a person has chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"


def upgrade() -> None:
    op.add_column("people", sa.Column("language", sa.String(length=20), nullable=True))
