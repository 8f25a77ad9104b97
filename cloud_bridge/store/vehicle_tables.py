"""The tables of the car accounts. Times are UTC in milliseconds since 1970."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from cloud_bridge.store.tables import metadata

account_grants = Table(  # what an authorisation gave us, for one or more vehicles of the account
    "account_grants",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("key_id", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # vehicles/vault.py
    Column("generation", BigInteger, nullable=False),  # one more with every refresh
    Column("refresh_ms", BigInteger, nullable=False),  # when it should be refreshed
    Column("choose_until_ms", BigInteger),  # by when the driver has to say which vehicles; null: has said
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
    Column("car_id", String(100), nullable=False),  # the provider's own name for it
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
    Column("advice", String(400), nullable=False, server_default=""),  # the provider's words for the driver
    # what the car said last; null is unknown
    Column("seen_ms", BigInteger),
    Column("battery_percent", Float),
    Column("plugged_in", Boolean),
    Column("charging", Boolean),
    Column("range_km", Float),
    # when it was seen charging, of the charge that goes on or was the last
    Column("charging_from_ms", BigInteger),
    Column("charging_until_ms", BigInteger),
    # polling
    Column("looked_ms", BigInteger),
    Column("heard_ms", BigInteger),  # when the account gave its last answer
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("due_ms", BigInteger, nullable=False, server_default="0"),
    Index(None, "person_id", "vin", unique=True),
    Index(None, "due_ms"),
    Index(None, "grant_id"),
    Index(None, "provider", "car_id"),
    sqlite_autoincrement=True,  # the number stands in addresses and forms: tables.py
)

vehicle_attempts = Table(  # a driver who is at the maker's authorisation page
    "vehicle_attempts",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("session_hash", String(64), nullable=False),  # of the browser that began it
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("provider", String(40), nullable=False),
    Column("vehicle_id", ForeignKey("vehicles.id", ondelete="CASCADE")),  # null: a car that is new here
    Column("verifier", String(128), nullable=False),  # of PKCE; of no use without the code
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "expires_ms"),
)

ready_plans = Table(  # of the next departure, at most one of a unit (store/ready_plans.py)
    "ready_plans",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),  # who set it, and is told
    Column("vehicle_id", ForeignKey("vehicles.id", ondelete="CASCADE"), nullable=False),
    Column("set_ms", BigInteger, nullable=False),
    Column("ready_ms", BigInteger, nullable=False),
    Column("begin_ms", BigInteger, nullable=False),
    Column("target_percent", Float, nullable=False),
    Column("capacity_kwh", Float, nullable=False),
    Column("power_w", Float, nullable=False),
    Column("hours", String(200)),  # of the unit, as it stores them; null: it has told of none
    Column("hours_ms", BigInteger, nullable=False),  # when they were read
    # readiness/: what was seen at the last look
    Column("judged_ms", BigInteger, nullable=False),
    Column("watched", Text, nullable=False),  # JSON of facts.Watched
    Column("verdict", String(20)),  # null: nobody has looked
    Column("reason", String(20)),
    Column("percent", Integer),
    Column("full_ms", BigInteger),
    Index(None, "person_id"),
    Index(None, "vehicle_id"),
    Index(None, "ready_ms"),
)
