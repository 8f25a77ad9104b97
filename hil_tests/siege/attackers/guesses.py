"""Guesses of passwords, claim codes, API tokens and units' secrets. None may be right."""

import http.client
import socket
import string
from contextlib import suppress

from hil_tests.fixtures.mqtt_unit import CONNACK_OK, connect
from hil_tests.siege import hostile
from hil_tests.siege.attack import Attack
from hil_tests.siege.http_client import FORM_TOKEN, Answer, HttpClient, LoginFailed
from hil_tests.siege.population import PASSWORD

GUESSER = "gus"  # a driver without a unit, who guesses claim codes
PAUSE_S = 0.1
WITHIN_S = 5.0
NETWORK = "127.0.2.{}"  # many addresses, because one address may only guess 40 passwords in 15 minutes
ADDRESSES = 40
LETTERS = string.ascii_uppercase + string.digits
NAMES = (b"admin", b"root", b"olga", b"operator", b"")


def attack(attack: Attack) -> None:
    """Make one guess of each kind in turn."""
    gus = HttpClient(attack.target.http_port, _address(attack))
    with suppress(OSError, http.client.HTTPException, LoginFailed):
        gus.must_log_in(GUESSER, PASSWORD)
    while not attack.over.wait(PAUSE_S):
        for guess in (_password, _token, _unit_secret):
            guess(attack)
        _claim_code(attack, gus)


def _address(attack: Attack) -> str:
    return NETWORK.format(attack.random.randrange(1, ADDRESSES + 1))


def _letters(attack: Attack, size: int) -> str:
    return "".join(attack.random.choices(LETTERS, k=size))


def _password(attack: Attack) -> None:
    client = HttpClient(attack.target.http_port, _address(attack))
    name = attack.random.choice([*NAMES, *(one.encode() for one in attack.target.people), hostile.text(attack.random)])
    password = attack.random.choice([b"123456", b"correct horse", hostile.text(attack.random)])
    answer = attack.ask(f"login as {name!r:.200}", lambda: client.log_in(name, password))
    attack.counts["passwords"] += 1
    if answer is not None and answer.status == 303:
        attack.fault(f"logged in as {name!r:.200} with {password!r:.200}")


def _token(attack: Attack) -> None:
    client = HttpClient(attack.target.http_port, _address(attack))
    token = attack.random.choice(["", "x" * 5000, _letters(attack, 43), "\xff\xfe", "null"])
    path = attack.random.choice(["/api/charge-points", "/metrics", "/api/alerts", "/api/strangers"])
    answer = attack.ask(f"{path} with {token!r:.100}", lambda: client.get(path, {"Authorization": f"Bearer {token}"}))
    attack.counts["tokens"] += 1
    if answer is not None and answer.status == 200:
        attack.fault(f"{path} was answered to the token {token!r:.100}")


def _unit_secret(attack: Attack) -> None:
    name = attack.random.choice([*attack.target.good, "no-such-unit", "_canary", "#", "+/+"])
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", attack.target.mqtt_port), WITHIN_S, (_address(attack), 0)) as connection,
    ):
        connection.sendall(connect(name, attack.random.choice(["", name, _letters(attack, 43), "x" * 5000])))
        if connection.recv(4) == CONNACK_OK:
            attack.fault(f"accepted as the unit {name}")
    attack.counts["unit secrets"] += 1


def _claim_code(attack: Attack, gus: HttpClient) -> None:
    def claim() -> Answer:
        token = FORM_TOKEN.search(gus.get("/account/units").text)
        if token is None:
            raise LoginFailed("not logged in")
        return gus.post("/account/units", [("code", code), ("form", token[1].encode())])

    code = attack.random.choice([_letters(attack, 12).encode(), hostile.text(attack.random)])
    answer = attack.ask(f"claim with {code!r:.200}", claim)
    attack.counts["claim codes"] += 1
    if answer is not None and answer.status == 303 and answer.location.startswith("/account/units/"):
        attack.fault(f"claimed {answer.location} with {code!r:.200}")
