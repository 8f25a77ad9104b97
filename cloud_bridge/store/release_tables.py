"""The tables of releases. Times are UTC in milliseconds since 1970."""

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from cloud_bridge.store.tables import metadata

releases = Table(  # store/releases.py
    "releases",
    metadata,
    Column("name", String(16), primary_key=True),  # by which orders and pieces name it: releases/manifest.py
    Column("version", String(20), nullable=False, unique=True),
    Column("manifest", LargeBinary, nullable=False),  # the file, signed
    Column("image", LargeBinary, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
)
