"""A login at a node of the cluster: what the node asks us, and what we answer (NATS auth callout, ADR-26). Pure.

A node that has accepted a CONNECT holds it until one of our processes has answered, 10 s at most (node_files.LOGIN_WITHIN_S).
It signs what it asks with its own key, and takes an answer only for the connection that it has asked about, signed with the
key of the cluster's file.
"""

from typing import Any, NamedTuple

from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.jwt import BadToken, read_token, write_token
from cloud_bridge.ingest.cluster.nkey import Signer
from cloud_bridge.ingest.packets import Connect

PUBLISHES = ("heartbeat", "event", "session", "result", "ask", "lwt")
DELIVERIES = "$MQTT.sub.>"  # where a node takes what it delivers with QoS 1; no MQTT client can subscribe to it itself
MAX_SUBSCRIPTIONS = 8  # a unit needs two of its own; a node adds its own for each
MAX_HOST = 64  # characters, more than any address has
AUDIENCE = "nats-authorization-request"
_VERSION = 2


class WrongIssuer(BadToken):
    """The nodes take answers of another issuer's: this process has another seed than their configuration has."""

    def __init__(self, server_id: str, number: int) -> None:
        """Of the connection that waits for an answer."""
        super().__init__("asked of another issuer")
        self.server_id = server_id
        self.number = number


class LoginRequest(NamedTuple):
    """What a node asks about one connection."""

    server_id: str
    number: int  # of the connection, at its node
    user_key: str  # the connection's, made by the node for this login
    host: str  # whence the connection comes
    user_name: str | None
    password: str | None
    client_id: str | None  # None: it does not speak MQTT

    def as_connect(self) -> Connect:
        """As an MQTT listener would see it. The node has read protocol and version, and does not tell the will."""
        return Connect("MQTT", 4, 0, 0, self.client_id or "", None, False, self.user_name, self.password)


def read_request(data: bytes, issuer: str) -> LoginRequest:
    """`issuer` is the key that we sign with, in public. Raises BadToken, and of its kind WrongIssuer for
    a node that asks somebody else; never anything else, whatever the bytes."""
    claims = read_token(data)
    asked = _part(claims, "nats")
    server_id = _part(asked, "server_id").get("id")
    if claims.get("aud") != AUDIENCE or claims["iss"] != server_id:
        raise BadToken("no login that we are asked about")
    client, options = _part(asked, "client_info"), _part(asked, "connect_opts")
    user_key, number = asked.get("user_nkey"), client.get("id")
    if not isinstance(user_key, str) or not isinstance(server_id, str) or type(number) is not int:
        raise BadToken("no connection")
    if claims.get("sub") != issuer:
        raise WrongIssuer(server_id, number)
    host = _string(client, "host") or ""
    speaks_mqtt = client.get("type") == "mqtt"
    return LoginRequest(
        server_id,
        number,
        user_key,
        host if len(host) <= MAX_HOST and host.isprintable() else "",
        _string(options, "user"),
        _string(options, "pass"),
        _string(client, "mqtt_id") if speaks_mqtt else None,
    )


def acceptance(signer: Signer, request: LoginRequest, unit_id: str) -> bytes:
    """It may do what one unit does, and nothing else."""
    user = {
        "sub": request.user_key,
        "aud": ACCOUNT,
        "name": unit_id,
        "nats": {
            "type": "user",
            "version": _VERSION,
            "pub": {"allow": [f"cp.{unit_id}.{kind}" for kind in PUBLISHES]},
            "sub": {"allow": [f"cp.{unit_id}.command", f"cp.{unit_id}.piece", DELIVERIES]},
            "subs": MAX_SUBSCRIPTIONS,
            "data": -1,
            "payload": -1,
            "allowed_connection_types": ["MQTT"],
        },
    }
    return _answer(signer, request, {"jwt": write_token(signer, user)})


def refusal(signer: Signer, request: LoginRequest, reason: str) -> bytes:
    """The unit is told CONNACK 5, whatever the reason; the node logs it."""
    return _answer(signer, request, {"error": reason})


def _answer(signer: Signer, request: LoginRequest, answer: dict[str, Any]) -> bytes:
    kind = {"type": "authorization_response", "version": _VERSION}
    claims = {"sub": request.user_key, "aud": request.server_id, "nats": answer | kind}
    return write_token(signer, claims).encode()


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    value = said.get(name)
    if not isinstance(value, dict):
        raise BadToken(f"no {name}")
    return value


def _string(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) else None
