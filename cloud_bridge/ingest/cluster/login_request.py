"""The login requests of a node and our answers (NATS auth callout, ADR-26). Pure.

A node holds a CONNECT until one of our processes has answered, for 10 s at most (node_files.LOGIN_WITHIN_S). The
request is signed with the node's key. The node accepts only an answer for the same connection, signed with the key in
the cluster file.
"""

from typing import Any, NamedTuple

from cloud_bridge.ingest.cluster.cluster_file import ACCOUNT
from cloud_bridge.ingest.cluster.jwt import BadToken, read_token, write_token
from cloud_bridge.ingest.cluster.nkey import Signer
from cloud_bridge.ingest.packets import Connect

PUBLISHES = ("heartbeat", "event", "session", "result", "ask", "lwt")
DELIVERIES = "$MQTT.sub.>"  # used by the node to deliver with QoS 1; MQTT clients cannot subscribe to it themselves
MAX_SUBSCRIPTIONS = 8  # a unit needs two, and the node adds its own for each
MAX_HOST = 64  # characters; longer than any address
AUDIENCE = "nats-authorization-request"
_VERSION = 2


class WrongIssuer(BadToken):
    """The node expects answers of another issuer: this process has another seed than the node's configuration."""

    def __init__(self, server_id: str, number: int) -> None:
        """The arguments identify the connection that waits for an answer."""
        super().__init__("asked of another issuer")
        self.server_id = server_id
        self.number = number


class LoginRequest(NamedTuple):
    """A node's request about one connection."""

    server_id: str
    number: int  # of the connection, at its node
    user_key: str  # of the connection, created by the node for this login
    host: str  # address of the peer
    user_name: str | None
    password: str | None
    client_id: str | None  # None if the connection is not MQTT

    def as_connect(self) -> Connect:
        """Return the request as a CONNECT. The node has checked protocol and version, and does not pass on the will."""
        return Connect("MQTT", 4, 0, 0, self.client_id or "", None, False, self.user_name, self.password)


def read_request(data: bytes, issuer: str) -> LoginRequest:
    """Read a request. `issuer` is our public signing key. Raises WrongIssuer, a BadToken, if the node expects another
    issuer, and BadToken for any other invalid request; nothing else, whatever the bytes are."""
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
    """Return the answer that accepts a login with the permissions of one unit."""
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
    """Return the answer that refuses a login. The unit gets CONNACK 5; the node logs the reason."""
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
