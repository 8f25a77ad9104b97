"""The tables of releases. Times are UTC in milliseconds since 1970."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from cloud_bridge.store.tables import metadata, untold

releases = Table(  # releases of the firmware (store/releases.py)
    "releases",
    metadata,
    Column("name", String(16), primary_key=True),  # its name in orders and pieces: releases/manifest.py
    Column("version", String(20), nullable=False),
    Column("manifest", LargeBinary, nullable=False),  # the file, signed
    Column("image", LargeBinary, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
)

release_boards = Table(  # which release is for a board: one for each board and version
    "release_boards",
    metadata,
    Column("version", String(20), primary_key=True),
    Column("board", String(32), primary_key=True),
    Column("release", ForeignKey("releases.name"), nullable=False),
)

roll_outs = Table(  # distributes one version to some units, ring after ring (store/roll_outs.py)
    "roll_outs",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("version", String(20), nullable=False),
    Column("chosen_by", String(10), nullable=False),  # roll_outs.ChosenBy
    Column("chosen", String(100), nullable=False),  # the network's digits, how names begin, or how many are listed
    Column("units", BigInteger, nullable=False),  # the number of units that it is for
    Column("left_out", BigInteger, nullable=False),  # chosen units for whose board there is no image
    Column("lot", String(300)),  # what is still to be drawn (releases/lot.py); null: every unit has its ring
    Column("soak_ms", BigInteger, nullable=False),  # the minimum duration of a ring
    Column("required_by_ms", BigInteger),  # for a security update; null: it is none
    Column("started_ms", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),  # releases/roll_out_states.py
    Column("ring", Integer, nullable=False),
    Column("ring_ms", BigInteger, nullable=False),  # when it reached that ring
    Column("ended_ms", BigInteger),  # stopped, or done; null: it runs
    Column("why", String(200), nullable=False),  # why it was stopped
    untold(),  # whether operators are still to be told that it stopped by itself
    sqlite_autoincrement=True,
)

roll_out_units = Table(
    "roll_out_units",
    metadata,
    Column("roll_out_id", ForeignKey("roll_outs.id", ondelete="CASCADE"), primary_key=True),
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("release", ForeignKey("releases.name"), nullable=False),  # the one for its board
    Column("ring", Integer, nullable=False),
    Column("is_newest", Boolean, nullable=False),  # no later roll-out is for this unit
    Column("state", String(12), nullable=False),  # releases/roll_out_states.py
    Column("state_ms", BigInteger, nullable=False),
    Column("ordered_ms", BigInteger),  # when the order was last sent; null: never
    Column("installed_ms", BigInteger),  # when the unit first reported that it runs
    Column("loaded", Integer, nullable=False),  # how many bytes of the image it was sent
    Column("why", String(40), nullable=False),  # why it refused, or went back
    untold(),  # whether its owner is still to be told of the state
    Index(None, "roll_out_id", "state", "ring"),
)
Index(
    "ix_roll_out_units_untold",
    roll_out_units.c.unit_id,
    sqlite_where=roll_out_units.c.untold,
    postgresql_where=roll_out_units.c.untold,
)
_is_newest = roll_out_units.c.is_newest
Index(
    "ix_roll_out_units_newest",
    roll_out_units.c.unit_id,
    unique=True,
    sqlite_where=_is_newest,
    postgresql_where=_is_newest,
)

update_bytes = Table(  # how much of updates a unit was sent (store/update_asks.py)
    "update_bytes",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("month", Integer, nullable=False),  # since 1970, by verified time
    Column("bytes", BigInteger, nullable=False),  # sent in that month
)
