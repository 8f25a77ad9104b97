"""Counters of what was received, refused and dropped. Every bound and every refusal has a counter, shown in
/healthz."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Counts since the start of this process."""

    contacts: int = 0
    canaries: int = 0
    canaries_lost: int = 0
    bad_payloads: int = 0
    repeats: int = 0
    late: int = 0
    quarantined: int = 0
    logins: int = 0
    home_logins: int = 0  # of people's Home Assistants
    home_orders_dropped: int = 0  # commands of a Home Assistant that sent too many at once
    refused_unknown_unit: int = 0
    refused_wrong_secret: int = 0
    refused_client_id: int = 0
    refused_protocol: int = 0
    refused_will: int = 0
    refused_store: int = 0
    refused_waiting: int = 0
    refused_over_quota: int = 0  # packets of units that exceeded their quota
    errors_withheld: int = 0  # CALLERRORs that were not sent to an OCPP charger, because it had received too many
    dropped_frames: int = 0  # OCPP frames that were not stored for support
    bad_login_requests: int = 0  # from a cluster: not signed by a node, or not a login request
    dropped_logins: int = 0  # from a cluster: too many were waiting, or the node had stopped waiting for the answer
    dropped_presence: int = 0  # from a cluster: connects and disconnects, because too many were waiting to be stored
    dropped_retained: int = 0
    dropped_foreign_topic: int = 0
    closed_malformed: int = 0
    closed_too_large: int = 0
    closed_idle: int = 0
    closed_no_connect: int = 0
    closed_crowded: int = 0  # unit connections without a login that were closed because there were too many
    closed_pages_crowded: int = 0  # page connections without a request that were closed because there were too many
    closed_streams: int = 0  # live streams that were closed because the account had too many
    missed_looks: int = 0  # queries of live streams that the store did not answer
    failed_handshakes: int = 0  # TLS handshakes
    pauses_full: int = 0  # times that accepting stopped until a connection closed, at the connection limit
    closed_revoked: int = 0
    take_overs: int = 0
    wrong_unit_clocks: int = 0  # heartbeats of units whose clock is wrong (verified_time.OFF_MS)
    identity_returns: int = 0  # heartbeats that continue another count of their identity (duplicate_identity.py)
    dropped_revoked: int = 0  # messages of a revoked unit, from an outside broker
    dropped_empty: int = 0  # messages without a payload, from an outside broker: they clear a retained message
    dropped_pending: int = 0  # messages of unknown ids, dropped without PUBACK because too many were waiting
    cleared_retained: int = 0  # retained messages of removed units that were cleared on an outside broker
    refused_publishes: int = 0  # publishes of ours that an outside broker did not authorise
    failed_commands: int = 0  # commands to units of a cluster that the cluster did not confirm
    failed_registry_reads: int = 0
    failed_messages: int = 0  # messages whose processing raised an unexpected error; not acknowledged
    failed_accepts: int = 0  # connections that the system could not accept
    failed_connections: int = 0  # connections to an outside broker that ended with an error
    redelivered: int = 0  # messages that a cluster delivered again to this worker
    wrong_stamps: int = 0  # messages that a cluster node with a wrong clock has stamped
    asks_served: int = 0  # requests of units for pieces of an update (ingest/update_pieces.py)
    asks_without_order: int = 0
    asks_beyond_file: int = 0
    asks_over_budget: int = 0  # the unit's byte budget of this month is used up
    asks_too_often: int = 0
    asks_dropped: int = 0  # too many were waiting, or a newer request of the unit replaced it
    pieces_sent: int = 0
    pieces_not_sent: int = 0  # the unit is not connected, or has not read the pieces before
    alerts_sent: int = 0
    alerts_failed: int = 0  # attempts
    browsers_gone: int = 0  # browsers that were removed because their push service does not know them any more
    alerts_given_up: int = 0  # after the last attempt
    alerts_not_queued: int = 0  # too many alerts of the account were waiting
    alert_rows_skipped: int = 0  # unreadable rows of a unit or an account
    northbound_failures: int = 0  # connections to other back-ends that were refused or closed
    northbound_orders_refused: int = 0  # commands of another back-end that sent too many
    standby_fallbacks: int = 0  # pages read from the primary, because the standby was away or too far behind
    letters_sent: int = 0  # e-mail about accounts: sign-up, forgotten password
    letters_failed: int = 0  # refused by the mail server
    letters_dropped: int = 0  # too many were waiting
    clock_steps: int = 0  # steps of our own clock
