"""Jobs have photos, and the signal that the installer measured before the work."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("before_csq", sa.Integer(), nullable=True),
        sa.Column("before_operator", sa.String(10), nullable=True),
        sa.Column("before_ms", sa.BigInteger(), nullable=True),
    ):
        op.add_column("jobs", column)
    op.create_table(
        "job_photos",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("job_id", _NUMBER, nullable=False),
        sa.Column("person_id", _NUMBER, nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("is_after", sa.Boolean(), nullable=False),
        sa.Column("upload_hash", sa.String(64), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_photos_job_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_job_photos_person_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_job_photos"),
        sa.UniqueConstraint("job_id", "upload_hash", name="uq_job_photos_job_id_upload_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_photos_at_ms", "job_photos", ["at_ms"])
