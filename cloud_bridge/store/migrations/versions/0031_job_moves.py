"""Jobs have a state, planned visits and two reports; every move of one is a row, and so is whom it is for."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for name in ("address", "access_notes"):
        op.add_column("contact_details", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    for column in (
        sa.Column("state", sa.String(20), nullable=False, server_default="raised"),
        sa.Column("moves", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("visit_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("visit_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("report_before_name", sa.String(100), nullable=True),
        sa.Column("report_before", sa.Text(), nullable=True),
    ):
        op.add_column("jobs", column)
    op.execute("UPDATE jobs SET state = 'done' WHERE closed_ms IS NOT NULL")
    op.execute("UPDATE jobs SET state = 'given_back' WHERE closed_ms IS NULL AND installer_id IS NULL")
    op.create_table(
        "job_events",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("job_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.String(20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("visit_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("visit_until_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_events_job_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_job_events_person_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_job_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_events_job_id", "job_events", ["job_id"])
    op.create_table(
        "job_customers",
        sa.Column("job_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=False),
        sa.Column("full_name", sa.String(100), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("access_notes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_customers_job_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_job_customers_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_customers"),
    )
    op.create_index("ix_job_customers_person_id", "job_customers", ["person_id"])
    # What is known of the moves before; nobody is alerted to them now.
    op.execute(
        "INSERT INTO job_events (job_id, at_ms, move, words) SELECT id, raised_ms, 'raised', '' FROM jobs ORDER BY id"
    )
    op.execute(
        "INSERT INTO job_events (job_id, at_ms, move, words) SELECT id, closed_ms, 'done', coalesce(outcome, '')"
        " FROM jobs WHERE closed_ms IS NOT NULL ORDER BY id"
    )
    op.execute("INSERT INTO alert_cursors (name, seen_id) SELECT 'job_events', coalesce(max(id), 0) FROM job_events")
