"""The tables of the car accounts. Times are UTC in milliseconds since 1970."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from cloud_bridge.store.tables import metadata

account_grants = Table(  # the result of an authorisation, for one or more vehicles of the account
    "account_grants",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # vehicles/vault.py
    Column("generation", BigInteger, nullable=False),  # increases with every refresh
    Column("refresh_ms", BigInteger, nullable=False),  # when it should be refreshed
    Column("choose_until_ms", BigInteger),  # by when the driver has to choose the vehicles; null: done
    Index(None, "person_id"),
    Index(None, "key_id"),
    Index(None, "choose_until_ms"),
)

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("car_id", String(100), nullable=False),  # the provider's identifier
    Column("vin", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("grant_id", ForeignKey("account_grants.id")),
    # vehicles/link.py
    Column("state", String(20), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("reason", String(20)),
    Column("before", String(20)),
    Column("refused_ms", BigInteger),  # by verified time
    Column("advice", String(400), nullable=False, server_default=""),  # the provider's text for the driver
    # what the car last reported; null: not known
    Column("seen_ms", BigInteger),
    Column("battery_percent", Float),
    Column("plugged_in", Boolean),
    Column("charging", Boolean),
    Column("range_km", Float),
    # when it was seen charging, in the charge in progress or the last one
    Column("charging_from_ms", BigInteger),
    Column("charging_until_ms", BigInteger),
    # polling
    Column("looked_ms", BigInteger),
    Column("heard_ms", BigInteger),  # when the account last answered
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("due_ms", BigInteger, nullable=False, server_default="0"),
    Index(None, "person_id", "vin", unique=True),
    Index(None, "due_ms"),
    Index(None, "grant_id"),
    Index(None, "provider", "car_id"),
    sqlite_autoincrement=True,  # the number is used in addresses and forms: tables.py
)

vehicle_attempts = Table(  # drivers who are at the maker's authorisation page
    "vehicle_attempts",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("session_hash", String(64), nullable=False),  # of the browser in which it began
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("vehicle_id", ForeignKey("vehicles.id", ondelete="CASCADE")),  # null: a new car
    Column("verifier", String(128), nullable=False),  # of PKCE; useless without the code
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "expires_ms"),
)

ready_plans = Table(  # for the next departure, at most one for a unit (store/ready_plans.py)
    "ready_plans",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),  # who set it, and is alerted
    Column("vehicle_id", ForeignKey("vehicles.id", ondelete="CASCADE"), nullable=False),
    Column("set_ms", BigInteger, nullable=False),
    Column("ready_ms", BigInteger, nullable=False),
    Column("begin_ms", BigInteger, nullable=False),
    Column("target_percent", Float, nullable=False),
    Column("capacity_kwh", Float, nullable=False),
    Column("power_w", Float, nullable=False),
    Column("hours", String(200)),  # of the unit, as it stores them; null: none reported
    Column("hours_ms", BigInteger, nullable=False),  # when they were read
    # readiness/: the result of the last check
    Column("judged_ms", BigInteger, nullable=False),
    Column("watched", Text, nullable=False),  # JSON of facts.Watched
    Column("verdict", String(20)),  # null: not checked yet
    Column("reason", String(20)),
    Column("percent", Integer),
    Column("full_ms", BigInteger),
    Index(None, "person_id"),
    Index(None, "vehicle_id"),
    Index(None, "ready_ms"),
)
