"""The tables. Every time is UTC in milliseconds since 1970 (`_ms`), except times by a unit's own clock (`_s`).

The migrations in migrations/versions create these tables; a test checks that both are the same.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _row_number() -> Column[int]:
    # SQLite numbers rows by itself only in a column of exactly the type INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _numbered(name: str, *columns: Column[Any] | Index | UniqueConstraint) -> Table:
    """A table whose rows are identified by their number `id`, which is never used again, not even after the row is
    deleted: pages that are open in a browser and receivers of webhooks remember it."""
    return Table(name, metadata, _row_number(), *columns, sqlite_autoincrement=True)


def _in_small_letters(name: str, size: int) -> Column[str]:
    """Another column in lower case, for a search. It is ordered by bytes in both databases, so that texts with the same
    beginning are adjacent."""
    by_bytes = String(size).with_variant(String(size, collation="C"), "postgresql")
    return Column(f"{name}_lower", by_bytes, Computed(f"lower({name})"))


def _unit() -> Column[str]:
    return Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), nullable=False)


def untold() -> Column[bool]:
    """Whether people still have to be alerted to the row: store/untold.py."""
    return Column("untold", Boolean, nullable=False, default=True, server_default=false())


def _journal(name: str, *own: Column[Any] | Index) -> Table:
    """Records of the units' own journals, identified by boot and sequence, so that a repeated record is not stored
    twice."""
    return _numbered(
        name,
        _unit(),
        Column("received_ms", BigInteger, nullable=False),
        Column("boot", BigInteger),
        Column("sequence", BigInteger),
        Column("unit_time_s", BigInteger),
        Column("payload", Text, nullable=False),
        *own,
        UniqueConstraint("unit_id", "boot", "sequence"),
    )


people = _numbered(
    "people",
    Column("name", String(100), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),  # argon2id
    Column("role", String(20), nullable=False),  # driver, installer, support, operator
    Column("created_ms", BigInteger, nullable=False),
    Column("email", String(254)),  # confirmed
    Column("name_folded", String(200)),  # names.py; null: shares its name with an older account, from before the check
    Column("name_appearance", String(200)),
    Column("distances", String(2)),  # "mi" or "km"; null: the usual one at their charge point (distances.py)
    Column("language", String(20)),  # a catalogue of cloud_bridge/words; null: the browser's, or English
    Index(None, "email", unique=True),
    Index(None, "name_folded", unique=True),
    Index(None, "name_appearance", unique=True),
)

email_changes = Table(  # requested, not yet confirmed by the code that was sent to the new address
    "email_changes",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("expires_ms", BigInteger, nullable=False),
)

invitations = _numbered(  # to sign up (store/invitations.py)
    "invitations",
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("role", String(20), nullable=False),  # of the person who signs up with it
    Column("email", String(254)),  # to which the code was sent; null: not sent
    Column("made_by", ForeignKey("people.id", ondelete="CASCADE")),  # null: the command line, or a stranger's request
    Column("asked", Boolean, nullable=False),  # it answers a stranger who wants to sign up
    Column("claim_hash", String(64)),  # of the label that the stranger used
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "made_by"),
)

password_resets = Table(  # e-mails to people who have forgotten their password (store/password_resets.py)
    "password_resets",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "person_id"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("device_hash", String(64)),  # of the browser's row in known_devices; null: older than that table
)

known_devices = Table(  # browsers in which a login has succeeded (store/known_devices.py)
    "known_devices",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("since_ms", BigInteger, nullable=False),  # of the last login there
    Index(None, "person_id"),
)

second_factors = Table(  # second factors of logins (store/second_factors.py)
    "second_factors",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("key_id", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the secret of the authenticator app: cloud_bridge/second_factor.py
    Column("since_ms", BigInteger, nullable=False),
    Column("used_steps", String(400), nullable=False, server_default=""),  # of the last accepted codes
)

recovery_codes = Table(  # each can be used once, instead of a code of the app
    "recovery_codes",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Index(None, "person_id"),
)

pending_logins = Table(  # the password was right, the second factor is still missing; no session
    "pending_logins",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index(None, "person_id"),
)

user_handles = (
    Table(  # random handles by which authenticators identify a person who adds a passkey; given to nobody else
        "user_handles",
        metadata,
        Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("handle", LargeBinary, nullable=False, unique=True),
    )
)

passkeys = _numbered(  # passkeys of people (store/passkeys.py)
    "passkeys",
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(60), nullable=False),  # given by its person
    Column("credential_id", LargeBinary, nullable=False, unique=True),  # chosen by the authenticator
    Column("public_key", LargeBinary, nullable=False),  # COSE (RFC 9052)
    Column("sign_count", BigInteger, nullable=False),  # at the last login; many authenticators always send 0
    Column("added_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),  # the last login; null: none yet
    Index(None, "person_id"),
)

tokens = _numbered(
    "tokens",
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("name", String(100), nullable=False, server_default=""),  # what it is for
    Column("scopes", String(100), nullable=False, server_default="read"),  # separated by spaces
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE")),  # its owner; null: the operator's, for everything
    Column("expires_ms", BigInteger),  # null: never
    Column("used_ms", BigInteger),  # rounded to the hour
)

units = Table(
    "units",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("secret_hash", String(64), nullable=False),  # SHA-256: the secret is random, 256 bits
    Column("claim_hash", String(64), nullable=False),
    Column("owner_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("time_zone", String(64), nullable=False, server_default="Europe/London"),  # of the site, IANA name
    Column("currency", String(3)),  # of the site, ISO 4217; null: that of its time zone (currencies.py)
    Column("silent_after_ms", BigInteger, nullable=False, server_default="1800000"),
    Column("created_ms", BigInteger, nullable=False),
    Column("name", String(100), nullable=False, server_default=""),  # given by its owner
    Column("claimed_ms", BigInteger),
    Column("credentials_ms", BigInteger, nullable=False, server_default="0"),  # last change or removal of the secret
    Column("broker_hash", String(200)),  # of the same secret, in the format of mosquitto's password file; null: revoked
    Column("first_contact_ms", BigInteger),  # null: never heard
    Column("owned_from_ms", BigInteger, nullable=False, server_default="0"),  # last change of owner: ownership.py
    Column("first_owned_ms", BigInteger),  # when it was first claimed
    Column("first_until_ms", BigInteger),  # when it was then released; null: it still has its first owner
    Column(
        "authorities", String(129)
    ),  # SHA-256 of those that it reports to trust (store/authorities.py); null: not reported
    Column("firmware", String(40)),  # its version, as last reported; null: not reported
    Column("board", String(32)),  # as last reported; null: not reported
    Column("protocol", String(10), nullable=False, server_default="mqtt"),  # how it talks to us: units.Protocol
    _in_small_letters("id", 36),
    _in_small_letters("name", 100),
    Index(None, "id_lower", "id"),
    Index(None, "name_lower", "id"),
    Index(None, "owner_id"),
    Index(None, "name", "id"),
    Index(None, "firmware", "id"),
    Index(None, "claim_hash", unique=True),
    Index(None, "credentials_ms"),
)
_never = units.c.first_contact_ms.is_(None)
Index("ix_units_never_heard", units.c.id, sqlite_where=_never, postgresql_where=_never)

firmware_counts = Table(  # how many units run each version, updated with each change (store/firmware.py)
    "firmware_counts",
    metadata,
    Column("version", String(40), primary_key=True),
    Column("units", BigInteger, nullable=False),
)

totals = Table(  # updated with each change, because counting a million rows takes too long
    "totals",
    metadata,
    Column("name", String(40), primary_key=True),  # "units": all units that were added
    Column("value", BigInteger, nullable=False),
)

ownerships = _numbered(  # who owned a unit, and when; the periods of one unit do not overlap
    "ownerships",
    _unit(),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),  # exclusive; null: it has not ended
    Column("ended", Text),  # JSON of ownership.Ended; null: it has not ended
    Index(None, "unit_id", "from_ms"),
    Index(None, "person_id"),
)

members = Table(  # who uses a unit in addition to its owner, as long as they do (store/members.py)
    "members",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", BigInteger, nullable=False),
    Index(None, "person_id"),
)

member_invitations = _numbered(  # to become a member; deleted when used
    "member_invitations",
    _unit(),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("expires_ms", BigInteger, nullable=False),  # by verified time
    Index(None, "unit_id"),
    Index(None, "expires_ms"),
)

authorities = Table(  # certificate authorities for the units' link (store/authorities.py)
    "authorities",
    metadata,
    Column("sha256", String(64), primary_key=True),  # of the certificate, hexadecimal
    Column("der", Text, nullable=False),  # the certificate, base64
    Column("expires_ms", BigInteger, nullable=False),
    Column("ordered_ms", BigInteger),  # when the units were ordered to trust it too; null: they do so without an order
    Column("alone", Boolean, nullable=False, server_default=false()),  # the units are to stop trusting any other
)

unit_installers = Table(  # installers who work or worked at a unit; they see it until the work is done (claims.py)
    "unit_installers",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),  # when the right to see it ended; null: it has not ended
    Index(None, "person_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("last_contact_ms", BigInteger, nullable=False),
    Column("last_kind", String(20), nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("bad_payloads", BigInteger, nullable=False),
    Column("silent_ms", BigInteger),  # the last contact before a noticed silence; null while it is not silent
    Column("operator", String(16), nullable=False, server_default=""),  # its last network, PLMN digits; empty: unknown
    Column("listened_ms", BigInteger, nullable=False, server_default="0"),  # contact.StoredContact
    Column("latest_ms", BigInteger, nullable=False, server_default="0"),
    Column("shard", Integer, nullable=False, server_default="1"),  # that heard it; `listened_ms` refers to it
    Index(None, "last_contact_ms"),
    Index(None, "operator", "last_contact_ms"),
)
_silent = contacts.c.silent_ms.is_not(None)
Index(
    "ix_contacts_silent",
    contacts.c.operator,
    contacts.c.last_contact_ms,
    contacts.c.silent_ms,
    contacts.c.unit_id,
    sqlite_where=_silent,
    postgresql_where=_silent,
)

contact_gaps = Table(  # between two contacts; how much of it we did not listen is computed when read
    "contact_gaps",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("path", Integer),  # in a cluster, the path by which it was heard before (paths.py); null: not known
    Index(None, "to_ms"),
)

transitions = _numbered(  # changes to silent and back, as noticed; alerts follow them
    "transitions",
    _unit(),
    Column("at_ms", BigInteger, nullable=False),
    Column("contact", String(10), nullable=False),  # silent or online
    Column("last_contact_ms", BigInteger, nullable=False),
    untold(),
    Index(None, "unit_id", "at_ms"),
    Index(None, "at_ms"),
)

signal = Table(  # as received with the heartbeats
    "signal",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("received_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("csq", Integer, nullable=False),  # 0..31
    Column("operator", String(16), nullable=False),  # PLMN digits; empty while unknown
    Index(None, "received_ms"),
)

signal_5min = Table(  # computed from the above, and kept longer
    "signal_5min",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("operator", String(16), primary_key=True),
    Column("lowest", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),  # total / samples is the mean
    Column("samples", Integer, nullable=False),
    Index(None, "from_ms"),
)

signal_hourly = Table(  # computed from the above, and kept longer: store/signal_averages.py
    "signal_hourly",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("operator", String(16), primary_key=True),
    Column(
        "until_ms", BigInteger, nullable=False
    ),  # exclusive; an hour in which the unit changed hands is divided into pieces
    Column("lowest", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),  # total / samples is the mean over time
    Column("samples", Integer, nullable=False),
    Column("lasting_ms", Integer, nullable=False),  # how much of that time was measured in this network
    Index(None, "from_ms"),
    sqlite_with_rowid=False,  # the rows are stored in the index of the key, which takes half the space
)

power = Table(  # of the session in progress, as received with the heartbeats
    "power",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("received_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("plugged", Boolean, nullable=False),  # whether a vehicle was connected
    Column("watts", BigInteger, nullable=False),
    Column("total_wh", BigInteger),  # of the meter; null: not reported
    Index(None, "received_ms"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),  # as the unit wrote it, including unknown keys
    Column(  # whether it has one of the keys that report a fault (store/troubles.py)
        "troubled",
        Boolean,
        Computed("""payload LIKE '%"h":[%' OR payload LIKE '%"d":%' OR payload LIKE '%"p":%'"""),
    ),
)
_troubled = heartbeats.c.troubled
Index("ix_heartbeats_troubled", heartbeats.c.unit_id, sqlite_where=_troubled, postgresql_where=_troubled)

presence = Table(  # whether a unit has a connection open (store/presence.py); no row: not known
    "presence",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("connected", Boolean, nullable=False),
    Column("door", Text, nullable=False),  # the process or node to which it is connected
    Column("changed_ms", BigInteger, nullable=False),
)

over_quota = Table(  # units that sent too much, and were therefore disconnected
    "over_quota",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),  # the last time
)

commissionings = Table(  # what an installer has found, as the unit last reported it (store/commissioning.py)
    "commissionings",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("amps", Integer, nullable=False),  # rating of the circuit
    Column("earth", String(10), nullable=False),
    Column("rcd_ms", Integer, nullable=False),
    Column("csq", Integer, nullable=False),
    Column("boost", String(10), nullable=False),
    Column("installer", String(40), nullable=False),  # as entered by the installer
    Column("via", String(10), nullable=False),
    Column("firmware", String(40)),  # null: not known
)

ocpp_lines = Table(  # connections of OCPP chargers, apart from contact (store/ocpp_lines.py)
    "ocpp_lines",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("alive_ms", BigInteger),  # when its last ping or pong arrived
    Column("refused_ms", BigInteger),  # when it was last refused
    Column("refused", String(200)),  # and why
    Column("contested_ms", BigInteger),  # when two connections last alternated with its identity
    Column("version", String(20)),  # of OCPP, as the subprotocol
    Column("usual_after_ms", BigInteger),  # units.silent_after_ms to restore when it answers again; None: nothing
)

ocpp_frames = Table(  # the last frames of such a charger, without tokens (store/ocpp_frames.py)
    "ocpp_frames",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),  # slots are overwritten in turn
    Column("number", BigInteger, nullable=False),  # increases with every frame
    Column("at_ms", BigInteger, nullable=False),
    Column("is_ours", Boolean, nullable=False),  # it is our own CALL
    Column("said", Text, nullable=False),
    Column("answered", Text),  # our answer
)

ocpp_settings = Table(  # settings of such a charger: what we set, and what it reports (store/ocpp_settings.py)
    "ocpp_settings",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("wanted", String(100)),  # as we last set it; None: we do not set it
    Column("answered", String(10)),  # its answer to that
    Column("value", String(100)),  # as it last reported it
)

ocpp_doors = Table(  # the processes that are doors for OCPP in a cluster (store/ocpp_doors.py)
    "ocpp_doors",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("beat", BigInteger, nullable=False),  # counts up while the process runs
    Column("until_ms", BigInteger, nullable=False),  # when its canary last arrived
)

northbound = Table(  # units that are shown to an OCPP back-end of somebody else (store/northbound.py)
    "northbound",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("url", String(300), nullable=False),  # of the back-end, without the identity
    Column("identity", String(48), nullable=False),  # of the unit at the back-end
    Column("secret", String(40), nullable=False),  # the password there; it has to be sent, so it is not hashed
    Column("id_tag", String(20), nullable=False),  # of its transactions
    Column("may_command", Boolean, nullable=False),  # the back-end may give orders
    Column("told_id", BigInteger, nullable=False),  # of the newest session that was sent to it, or never will be
    Column("open_transaction", Text),  # JSON of northbound.transactions.Transaction; null: there is none
    Column("dropped", BigInteger, nullable=False, server_default="0"),  # sessions that were not sent to it
    Column("connected_ms", BigInteger),  # since when; null: it is not connected
    Column("answered_ms", BigInteger),  # when it last answered
    Column("refused_ms", BigInteger),  # when a connection or the unit was last refused
    Column("refused", String(200)),  # and why
    Column("refused_detail", String(60)),
)

unknown_clients = Table(  # ids that sent something and are no units (store/unknown_clients.py)
    "unknown_clients",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
)

duplicate_identities = _numbered(  # a second charge point has the identity of the unit (store/duplicates.py)
    "duplicate_identities",
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("boot", BigInteger, nullable=False),  # boot counts of the two, first that of the one last heard
    Column("other_boot", BigInteger, nullable=False),
    untold(),
)

events = _journal("events", Column("kind", String(256)), untold(), Index(None, "unit_id", "received_ms"))

sessions = _journal(
    "sessions",
    Column("started_s", BigInteger),
    Column("ended_s", BigInteger),
    Column("duration_s", BigInteger),
    Column("energy_wh", BigInteger),
    Column("reason", String(256)),
    # the meter before and after it, and the vehicle that was charged, by its account; null: not known (settling.py)
    Column("meter_began_wh", BigInteger),
    Column("meter_ended_wh", BigInteger),
    Column("vehicle", String(100)),
    Column("unsettled", Boolean, nullable=False, default=True, server_default=false()),  # these are still to be found
    Column("vehicle_said", String(60)),  # entered by the driver, and takes precedence; null: nothing entered
    Index(None, "unit_id", "received_ms"),
)

results = _journal(
    "results",
    Column("command", String(256)),
    Column("ok", Boolean),
    Column("reason", String(256)),
    Index(None, "unit_id", "command"),
)

rejected_messages = _numbered(  # messages whose data the database refuses (store/recorder.py)
    "rejected_messages",
    Column("unit_id", String(36), nullable=False),  # no foreign key: a deleted unit may be the reason
    Column("kind", String(20), nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", String(200), nullable=False),
    Index(None, "received_ms"),
)

listening = Table(
    "listening",
    metadata,
    Column("id", Integer, primary_key=True),  # a row for each part of the units (ingest/shard.py)
    Column("until_ms", BigInteger, nullable=False),
    Column("listened_ms", BigInteger, nullable=False, server_default="0"),  # in total
    Column("latest_ms", BigInteger, nullable=False, server_default="0"),  # how late it may have been at `until_ms`
)

listening_gaps = Table(
    "listening_gaps",
    metadata,
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "path", Integer, primary_key=True, autoincrement=False, server_default="0"
    ),  # the path that did not listen (paths.py); 0: all
    Column("to_ms", BigInteger, nullable=False),
)

contact_details = Table(  # how drivers and their installers can reach each other
    "contact_details",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("full_name", String(100), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("address", Text, nullable=False, server_default=""),  # where their charger is; several lines
    Column("access_notes", Text, nullable=False, server_default=""),  # how to get to it; several lines
)

tariffs = Table(  # of a unit's site; the second rate applies from `off_peak_from` to `off_peak_to`
    "tariffs",
    metadata,
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE"), primary_key=True),
    Column("rate", Integer, nullable=False),  # per kWh, in hundredths of the currency's minor unit
    Column("off_peak_rate", Integer),
    Column("off_peak_from", Integer, nullable=False, server_default="0"),  # minutes of the site's day
    Column("off_peak_to", Integer, nullable=False, server_default="0"),
)

conversations = _numbered(  # of one person with support, about one unit or none
    "conversations",
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="SET NULL")),
    Column("opened_ms", BigInteger, nullable=False),
    Column("newest_ms", BigInteger, nullable=False),
    Column("waiting", Boolean, nullable=False),  # for our answer
    Column("read_id", BigInteger, nullable=False, server_default="0"),  # the newest message that the person has seen
    Index(None, "person_id"),
    Index(None, "waiting", "newest_ms"),
)

messages = _numbered(
    "messages",
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("from_support", Boolean, nullable=False),
    Column("sent_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", Text),  # of the unit at that moment, JSON
    Column("once", String(32), nullable=False, unique=True),  # of the form: if it is sent twice, it is stored once
    untold(),
    Index(None, "conversation_id"),
)

jobs = _numbered(  # for an installer, at one unit
    "jobs",
    _unit(),
    Column("installer_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("raised_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("once", String(32), nullable=False, unique=True),
    Column("visited_ms", BigInteger),  # when a boost was fitted: evidence before and after it is compared
    Column("report_name", String(100)),
    Column("report", Text),  # of `python -m modem report` after the work, as it was uploaded
    Column("closed_ms", BigInteger),
    Column("outcome", Text),
    Column("state", String(20), nullable=False, server_default="raised"),  # store/job_states.py
    Column("moves", BigInteger, nullable=False, server_default="0"),  # number of moves; a smaller one is out of date
    Column("visit_from_ms", BigInteger),  # the planned visit
    Column("visit_until_ms", BigInteger),
    Column("report_before_name", String(100)),
    Column("report_before", Text),  # likewise, from before the work
    Column("before_csq", Integer),  # as the charger reported it when the installer measured before the work
    Column("before_operator", String(10)),
    Column("before_ms", BigInteger),
    Column("closed", Boolean, Computed("closed_ms IS NOT NULL")),
    Index(None, "unit_id"),
    Index(None, "closed", "raised_ms"),
    Index(None, "installer_id", "closed_ms"),
)

job_events = _numbered(  # every move of a job
    "job_events",
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL")),  # who moved it; null: the command line
    Column("at_ms", BigInteger, nullable=False),
    Column("move", String(20), nullable=False),  # store/job_states.py
    Column("words", Text, nullable=False),
    Column("visit_from_ms", BigInteger),  # the visit that was planned or cancelled
    Column("visit_until_ms", BigInteger),
    untold(),
    Index(None, "job_id"),
)

job_customers = Table(  # the customer of a job: what the installer is told about the owner
    "job_customers",
    metadata,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("full_name", String(100), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("address", Text, nullable=False),
    Column("access_notes", Text, nullable=False),
    Index(None, "person_id"),
)

job_photos = _numbered(  # taken at a job (store/job_photos.py)
    "job_photos",
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL")),  # who took it
    Column("at_ms", BigInteger, nullable=False),
    Column("is_after", Boolean, nullable=False),  # taken after a boost was fitted
    Column("upload_hash", String(64), nullable=False),  # of the uploaded file: uploading it again adds no second photo
    Column("thumbnail", LargeBinary, nullable=False),  # JPEG, as `picture`
    Column("picture", LargeBinary, nullable=False),
    UniqueConstraint("job_id", "upload_hash"),
    Index(None, "at_ms"),
)

commands = Table(  # given on the pages; the unit's answers are in `results`
    "commands",
    metadata,
    Column("id", String(36), primary_key=True),
    _unit(),
    Column("person_id", ForeignKey("people.id", ondelete="SET NULL")),
    Column("given_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("do", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("sent", Boolean, nullable=False),  # the unit was connected
    Index(None, "unit_id", "given_ms"),
)

alert_wishes = _numbered(  # who wants to be alerted to what, and how
    "alert_wishes",
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("about", String(20), nullable=False),  # alerts/about.py
    Column("via", String(10), nullable=False),  # alerts/services.py
    Column("target", String(500), nullable=False, server_default=""),  # empty: the person's address, or their browsers
    Column("secret", String(64), nullable=False, server_default=""),  # a webhook's key: proves that we are the sender
    UniqueConstraint("person_id", "about", "via", "target"),
)

alert_choices = Table(  # ways for which people have chosen kinds; otherwise usual ones apply (store/usual_alerts.py)
    "alert_choices",
    metadata,
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("via", String(10), primary_key=True),
)

push_browsers = (
    _numbered(  # browsers that a person lets us notify (store/push_browsers.py); names with `secret` are not exported
        "push_browsers",
        Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        Column("device_hash", ForeignKey("known_devices.token_hash", ondelete="CASCADE"), nullable=False, unique=True),
        Column("since_ms", BigInteger, nullable=False),
        Column("host", String(253), nullable=False),  # of the push service
        Column("endpoint_secret", String(1000), nullable=False),  # anyone who has it can send there
        Column("endpoint_hash", String(64), nullable=False, unique=True),
        Column("p256dh_secret", String(100), nullable=False),  # base64url: the browser's key (RFC 8291, section 3.1)
        Column("auth_secret", String(30), nullable=False),  # base64url
        Index(None, "person_id"),
    )
)

alerts = _numbered(  # waiting, sent, or given up
    "alerts",
    Column("wish_id", ForeignKey("alert_wishes.id", ondelete="CASCADE"), nullable=False),
    Column("unit_id", String(36), ForeignKey("units.id", ondelete="CASCADE")),  # null: about many units
    Column("about", String(20), nullable=False),
    Column("detail", String(40), nullable=False, server_default=""),  # the fault's name, the number of units
    Column("at_ms", BigInteger, nullable=False),
    Column("words", Text, nullable=False),
    Column("due_ms", BigInteger),  # when to try next; null: sent, or given up
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("trouble", String(200), nullable=False, server_default=""),
    Column("browser_id", BigInteger),  # of push_browsers, if it goes to one; no foreign key: it may be deleted
    Index(None, "due_ms"),
    Index(None, "wish_id", "unit_id", "about"),
    Index(None, "about", "id"),
)

alert_cursors = Table(  # up to which row hold-downs of alerts have ended
    "alert_cursors",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("seen_id", BigInteger, nullable=False),
)

clock_steps = _numbered(  # when our clock was set
    "clock_steps",
    Column("at_ms", BigInteger, nullable=False),  # the time after it
    Column("by_ms", BigInteger, nullable=False),  # forward if positive
)

security_events = _numbered(  # store/security_events.py
    "security_events",
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("address", String(64)),  # for IPv6 the network of 64 bits; null: from the command line
    Column("person_id", BigInteger),  # no foreign key: it outlives the account
    Column("about", String(120), nullable=False),
    Column("times", BigInteger, nullable=False),
    Index(None, "kind", "id"),
)

verified_time = Table(  # the earliest possible present time (cloud_bridge/verified_time.py); one row
    "verified_time",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
)

rolled_up = Table(  # how far each table of averages is computed (store/signal_averages.py)
    "rolled_up",
    metadata,
    Column("name", String(40), primary_key=True),  # of the table
    Column("until_ms", BigInteger, nullable=False),
)

retention = Table(  # how far each table has been cleared of old rows (store/upkeep.py)
    "retention",
    metadata,
    Column("name", String(40), primary_key=True),  # of the table
    Column("until_ms", BigInteger, nullable=False),  # older rows have been deleted
    Column("strays_since_ms", BigInteger),  # verified time since when there are older ones again; null: there are none
)

for _table in (transitions, events, duplicate_identities, job_events, messages):
    _is_untold = _table.c.untold
    Index(f"ix_{_table.name}_untold", _table.c.id, sqlite_where=_is_untold, postgresql_where=_is_untold)

_is_unsettled = sessions.c.unsettled
Index("ix_sessions_unsettled", sessions.c.id, sqlite_where=_is_unsettled, postgresql_where=_is_unsettled)
