"""What was there of a unit when a time of ownership ended is kept of every such time: store/ownership.py, `Ended`.

Before, it was kept only where the clock was before rows that were there.
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute("ALTER TABLE ownerships RENAME COLUMN unsure TO ended")
