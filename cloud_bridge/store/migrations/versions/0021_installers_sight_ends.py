"""When an installer's sight of a unit ended: with the job, or with the unit's change of hands (store/claims.py)."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("unit_installers", sa.Column("until_ms", sa.BigInteger(), nullable=True))
    # Whose jobs at the unit are all closed has no more work there.
    op.execute(
        "UPDATE unit_installers SET until_ms = (SELECT max(jobs.closed_ms) FROM jobs"
        " WHERE jobs.unit_id = unit_installers.unit_id AND jobs.installer_id = unit_installers.person_id)"
        " WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.unit_id = unit_installers.unit_id"
        " AND jobs.installer_id = unit_installers.person_id AND jobs.closed_ms IS NULL)"
    )
