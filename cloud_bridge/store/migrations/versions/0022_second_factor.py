"""The second factor of a login, logins that wait for it, and browsers in which a login has succeeded.

Operators are logged out: from now on a session of theirs is one that has passed the second factor.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

PERSON = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "second_factors",
        sa.Column("person_id", PERSON, autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_steps", sa.String(length=400), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_second_factors_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name="pk_second_factors"),
    )
    for name in ("recovery_codes", "pending_logins", "known_devices"):
        first = "code_hash" if name == "recovery_codes" else "token_hash"
        last = {"pending_logins": "expires_ms", "known_devices": "since_ms"}.get(name)
        op.create_table(
            name,
            sa.Column(first, sa.String(length=64), nullable=False),
            sa.Column("person_id", PERSON, nullable=False),
            *([sa.Column(last, sa.BigInteger(), nullable=False)] if last else []),
            sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=f"fk_{name}_person_id", ondelete="CASCADE"),
            sa.PrimaryKeyConstraint(first, name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_person_id", name, ["person_id"], unique=False)
    op.add_column("web_sessions", sa.Column("device_hash", sa.String(length=64), nullable=True))
    op.execute("DELETE FROM web_sessions WHERE person_id IN (SELECT id FROM people WHERE role = 'operator')")
