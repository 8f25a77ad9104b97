"""The board of each unit, a release of a version for each board, rings that are given in steps, what people are alerted to of
updates, and how many units run each version.

The tables of releases are made anew: SQLite cannot drop a constraint. What was in them is kept aside meanwhile.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEPT = ("roll_out_units", "roll_outs", "releases")  # what refers to another one goes before it


def upgrade() -> None:
    for name in _KEPT:
        op.execute(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}")
        op.drop_table(name)
    _make_releases()
    _make_roll_outs()
    for name in _KEPT:
        op.drop_table(f"kept_{name}")
    op.add_column("units", sa.Column("board", sa.String(length=32), nullable=True))
    op.create_table(
        "firmware_counts",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_firmware_counts"),
    )
    op.execute(
        "INSERT INTO firmware_counts SELECT firmware, count(*) FROM units WHERE firmware IS NOT NULL GROUP BY firmware"
    )


def _make_releases() -> None:
    op.create_table(
        "releases",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_releases"),
    )
    columns = "name, version, manifest, image, added_ms"
    op.execute(f"INSERT INTO releases ({columns}) SELECT {columns} FROM kept_releases")
    boards = op.create_table(
        "release_boards",
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("board", sa.String(length=32), nullable=False),
        sa.Column("release", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.name"], name="fk_release_boards_release"),
        sa.PrimaryKeyConstraint("version", "board", name="pk_release_boards"),
    )
    found = op.get_bind().execute(sa.text("SELECT name, version, manifest FROM releases")).all()
    rows = [
        {"version": version, "board": board, "release": name}
        for name, version, manifest in found
        for board in dict.fromkeys(json.loads(bytes(manifest).split(b"\n")[0])["boards"])
    ]
    op.bulk_insert(boards, rows)


def _make_roll_outs() -> None:
    op.create_table(
        "roll_outs",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("chosen_by", sa.String(length=10), nullable=False),
        sa.Column("chosen", sa.String(length=100), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.BigInteger(), nullable=False),
        sa.Column("lot", sa.String(length=300), nullable=True),
        sa.Column("soak_ms", sa.BigInteger(), nullable=False),
        sa.Column("required_by_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("ring_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("untold", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name="pk_roll_outs"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "roll_out_units",
        sa.Column("roll_out_id", _NUMBER, nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("release", sa.String(length=16), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("is_newest", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=True),
        sa.Column("installed_ms", sa.BigInteger(), nullable=True),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("untold", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(
            ["roll_out_id"], ["roll_outs.id"], name="fk_roll_out_units_roll_out_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_roll_out_units_unit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["release"], ["releases.name"], name="fk_roll_out_units_release"),
        sa.PrimaryKeyConstraint("roll_out_id", "unit_id", name="pk_roll_out_units"),
    )
    same = "chosen_by, chosen, units, soak_ms, required_by_ms, started_ms, state, ring, ring_ms, ended_ms, why"
    op.execute(
        f"INSERT INTO roll_outs (id, version, left_out, {same}) SELECT id, releases.version, 0, {same} "
        "FROM kept_roll_outs JOIN releases ON releases.name = kept_roll_outs.release"
    )
    names = [
        "roll_out_id",
        "unit_id",
        "ring",
        "is_newest",
        "state",
        "state_ms",
        "ordered_ms",
        "installed_ms",
        "loaded",
        "why",
    ]
    op.execute(
        f"INSERT INTO roll_out_units ({', '.join(names)}, release) SELECT {', '.join(f'a.{name}' for name in names)}, "
        "b.release FROM kept_roll_out_units a JOIN kept_roll_outs b ON b.id = a.roll_out_id"
    )
    if op.get_bind().dialect.name == "postgresql":
        number = "SELECT setval(pg_get_serial_sequence('roll_outs', 'id'), max(id)) FROM roll_outs HAVING max(id) > 0"
        op.execute(number)
    op.create_index("ix_roll_out_units_roll_out_id_state_ring", "roll_out_units", ["roll_out_id", "state", "ring"])
    for name, column, is_unique in (("newest", "is_newest", True), ("untold", "untold", False)):
        condition = sa.text(column if op.get_bind().dialect.name == "postgresql" else f"{column} = 1")
        op.create_index(
            f"ix_roll_out_units_{name}",
            "roll_out_units",
            ["unit_id"],
            unique=is_unique,
            sqlite_where=condition,
            postgresql_where=condition,
        )
