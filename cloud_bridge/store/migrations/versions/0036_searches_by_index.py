"""What pages of a large fleet are found by, each through an index: ids and names in small letters, heartbeats that report a
trouble, and jobs with the open ones first. The number of units is counted as they are added.

Small letters are the database's own `lower`, and are ordered by their bytes on both databases, so that what begins alike
stands together.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

TROUBLED = """payload LIKE '%"h":[%' OR payload LIKE '%"d":%' OR payload LIKE '%"p":%'"""


def upgrade() -> None:
    is_stored = True if op.get_bind().dialect.name == "postgresql" else None  # SQLite can only add one that is not
    for name, size in (("id", 36), ("name", 100)):
        by_bytes = sa.String(size).with_variant(sa.String(size, collation="C"), "postgresql")
        op.add_column("units", sa.Column(f"{name}_lower", by_bytes, sa.Computed(f"lower({name})", is_stored)))
        op.create_index(f"ix_units_{name}_lower_id", "units", [f"{name}_lower", "id"])
    op.add_column("heartbeats", sa.Column("troubled", sa.Boolean(), sa.Computed(TROUBLED, is_stored)))
    op.create_index(
        "ix_heartbeats_troubled",
        "heartbeats",
        ["unit_id"],
        sqlite_where=sa.text("troubled = 1"),  # as SQLAlchemy asks there
        postgresql_where=sa.text("troubled"),
    )
    op.add_column("jobs", sa.Column("closed", sa.Boolean(), sa.Computed("closed_ms IS NOT NULL", is_stored)))
    op.create_index("ix_jobs_closed_raised_ms", "jobs", ["closed", "raised_ms"])
    totals = op.create_table(
        "totals",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_totals")),
    )
    units = op.get_bind().execute(sa.text("SELECT count(*) FROM units")).scalar_one()
    op.bulk_insert(totals, [{"name": "units", "value": units}])
