"""Counters of what came in and what was turned away: every bound and every refusal has one, shown in /healthz."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the start of this process."""

    contacts: int = 0
    canaries: int = 0
    canaries_lost: int = 0
    bad_payloads: int = 0
    repeats: int = 0
    late: int = 0
    quarantined: int = 0
    logins: int = 0
    home_logins: int = 0  # of people's Home Assistants
    home_orders_dropped: int = 0  # of one that gave too many at once
    refused_unknown_unit: int = 0
    refused_wrong_secret: int = 0
    refused_client_id: int = 0
    refused_protocol: int = 0
    refused_will: int = 0
    refused_store: int = 0
    refused_waiting: int = 0
    refused_over_quota: int = 0  # packets of units that send too much
    errors_withheld: int = 0  # CALLERRORs that a charger of OCPP was not sent, since it had too many
    dropped_frames: int = 0  # of such chargers, that were not kept for support
    bad_login_requests: int = 0  # of a cluster: not signed by a node, or not about a login
    dropped_logins: int = 0  # of a cluster: too many waited, or one had waited for longer than its node does
    dropped_presence: int = 0  # of a cluster: units that came or went, and too many others waited to be stored
    dropped_retained: int = 0
    dropped_foreign_topic: int = 0
    closed_malformed: int = 0
    closed_too_large: int = 0
    closed_idle: int = 0
    closed_no_connect: int = 0
    closed_crowded: int = 0  # the oldest of too many that had not proved themselves
    closed_pages_crowded: int = 0  # the same of pages: the oldest of too many requests
    closed_streams: int = 0  # the oldest of too many live streams of one account
    missed_looks: int = 0  # of live streams at the store, which did not answer
    failed_handshakes: int = 0  # of TLS
    pauses_full: int = 0  # accepting stopped until a connection ended: no more have a file
    closed_revoked: int = 0
    take_overs: int = 0
    wrong_unit_clocks: int = 0  # heartbeats of units whose clock is wrong (verified_time.OFF_MS)
    identity_returns: int = 0  # heartbeats that continue another count of their identity (duplicate_identity.py)
    dropped_revoked: int = 0  # messages of a revoked unit, from an outside broker
    dropped_empty: int = 0  # messages without a payload, from an outside broker: they clear a retained one
    dropped_pending: int = 0  # messages of unknown ids that found no room to wait; not acknowledged
    cleared_retained: int = 0  # retained messages of units that were removed from an outside broker
    refused_publishes: int = 0  # publications of ours that an outside broker did not allow
    failed_commands: int = 0  # to units of a cluster: it has not confirmed that it has them
    failed_registry_reads: int = 0
    failed_messages: int = 0  # that raised an error of ours; not acknowledged
    failed_accepts: int = 0  # connections that the system did not let us accept
    failed_connections: int = 0  # to an outside broker, that an error ended
    redelivered: int = 0  # messages that a cluster delivered again, to this worker
    wrong_stamps: int = 0  # messages that a node of the cluster has stamped by a wrong clock
    asks_served: int = 0  # of units, for parts of an update (ingest/update_pieces.py)
    asks_without_order: int = 0
    asks_beyond_file: int = 0
    asks_over_budget: int = 0  # the unit's, of this month
    asks_too_often: int = 0
    asks_dropped: int = 0  # too many waited, or the unit asked for something else meanwhile
    pieces_sent: int = 0
    pieces_not_sent: int = 0  # the unit is not connected, or has not read the ones before
    alerts_sent: int = 0
    alerts_failed: int = 0  # tries
    browsers_gone: int = 0  # that were notified, until their push service knew them no more
    alerts_given_up: int = 0  # after the last try
    alerts_not_queued: int = 0  # too many of the account waited
    alert_rows_skipped: int = 0  # that could not be read, of the unit or of the account
    northbound_failures: int = 0  # connections to back-ends of others that were refused, or ended
    northbound_orders_refused: int = 0  # of such a back-end, that gave too many
    standby_fallbacks: int = 0  # pages read from the primary, since the standby was away or too far behind
    letters_sent: int = 0  # of accounts: to sign up, a forgotten password
    letters_failed: int = 0  # that the mail server did not take
    letters_dropped: int = 0  # too many waited
    clock_steps: int = 0  # of our own clock
