"""When a car's account answered last."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("vehicles", sa.Column("heard_ms", sa.BigInteger(), nullable=True))
    op.execute("UPDATE vehicles SET heard_ms = CASE WHEN failures = 0 THEN looked_ms ELSE seen_ms END")
