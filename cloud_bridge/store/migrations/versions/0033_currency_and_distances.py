"""The currency of a site, and the unit in which a person reads distances.

Until now every price was in pence: so are those that are stored, wherever the site is.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("units", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column("people", sa.Column("distances", sa.String(length=2), nullable=True))
    op.execute("UPDATE units SET currency = 'GBP' WHERE id IN (SELECT unit_id FROM tariffs)")
