"""Hostile receivers of alerts: a mail server that is slow, silent or endless, and webhooks that point into our network.

Only mail can be delivered on loopback, because the operator sets that server (CHARGEKEEPER_MAIL). Webhooks only go to hosts on
the internet: the attacker tries every notation of loopback, and none may be called. Hostile receivers on the internet are
tested in tests/cloud_bridge/alerts/.
"""

import http.client
import json
import socket
import threading
from contextlib import suppress

from hil_tests.fixtures.mqtt_unit import MqttUnit
from hil_tests.siege.attack import Attack
from hil_tests.siege.http_client import FORM_TOKEN, HttpClient, LoginFailed
from hil_tests.siege.population import PASSWORD

OWNER, UNIT = "nora", "alarmed"
ADDRESS = "127.0.0.12"
LOOK_S = 0.2
FAULT_EVERY_S = 2.0
DRIP_EVERY_S = 0.2
HOLD_S = 120.0  # longer than the bridge's timeout for a letter
LONG_LINE = b"250-" + b"x" * 100_000
MANNERS = ("closes", "silent", "drips", "endless", "garbage", "refuses", "stops at the text")
HOSTS = (
    "127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "localhost", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::]", "[64:ff9b::7f00:1]",
)  # fmt: skip


def attack(attack: Attack) -> None:
    """Run both receivers, subscribe to alerts, and report faults."""
    with (
        socket.create_server(("127.0.0.1", attack.target.mail_port)) as mail,
        socket.create_server(("127.0.0.1", 0)) as hook,
    ):
        waiting = [
            threading.Thread(target=_serve_mail, args=(attack, mail)),
            threading.Thread(target=_nobody_calls, args=(attack, hook)),
        ]
        for one in waiting:
            one.start()
        try:
            with suppress(OSError, http.client.HTTPException, LoginFailed):
                _subscribe(attack, hook.getsockname()[1])
            _raise_faults(attack)
        finally:
            attack.over.wait()
            for one in waiting:
                one.join()


def _subscribe(attack: Attack, hook_port: int) -> None:
    client = HttpClient(attack.target.http_port, ADDRESS)
    client.must_log_in(OWNER, PASSWORD)
    targets = [("webhook", f"https://{host}:{hook_port}/hook") for host in HOSTS] + [("email", "")]
    for via, target in targets:
        token = FORM_TOKEN.search(client.get("/account/notifications").text)
        if token is None:
            raise LoginFailed("no form")
        fields = {"form": token[1], "via": via, "about": "fault", "target": target}
        answer = attack.ask(
            f"notifications by {via} to {target}",
            lambda fields=fields: client.post(  # type: ignore[misc]  # mypy infers no type for such a lambda
                "/account/notifications", [(name, value.encode()) for name, value in fields.items()]
            ),
        )
        if answer is not None and answer.status == 303:
            attack.counts[f"{via} accepted"] += 1


def _raise_faults(attack: Attack) -> None:
    """Report faults with unique names, because the same fault causes no second alert within an hour."""
    unit: MqttUnit | None = None
    count = 0
    while not attack.over.wait(FAULT_EVERY_S):
        count += 1
        said = {"n": count, "b": 1, "k": "fault_raised", "d": {"fault": f"siege {count}"}}
        try:
            unit = unit or MqttUnit(attack.target.mqtt_port, *attack.target.units[UNIT].login)
            unit.publish("event", json.dumps(said).encode())
            attack.counts["faults raised"] += 1
        except OSError as error:
            attack.counts[type(error).__name__] += 1
            unit = None
    if unit is not None:
        unit.close()


def _nobody_calls(attack: Attack, hook: socket.socket) -> None:
    hook.settimeout(LOOK_S)
    while not attack.over.is_set():
        with suppress(TimeoutError):
            connection, _ = hook.accept()
            connection.close()
            attack.fault("a webhook was delivered to loopback")


def _serve_mail(attack: Attack, mail: socket.socket) -> None:
    """Serve each connection on its own thread, with the next manner of misbehaving."""
    mail.settimeout(LOOK_S)
    talks: list[threading.Thread] = []
    while not attack.over.is_set():
        with suppress(TimeoutError):
            connection, _ = mail.accept()
            manner = MANNERS[len(talks) % len(MANNERS)]
            attack.counts[f"mail: {manner}"] += 1
            talks.append(threading.Thread(target=_talk, args=(attack, connection, manner)))
            talks[-1].start()
    for talk in talks:
        talk.join()


def _talk(attack: Attack, connection: socket.socket, manner: str) -> None:
    """Speak RFC 5321 as far as the manner does. Return when the bridge closes the connection."""
    with connection, suppress(OSError):
        connection.settimeout(HOLD_S)
        if manner == "closes":
            return
        if manner == "garbage":
            connection.sendall(b"\0\xff" * 5000 + b"\r\n")
        elif manner == "refuses":
            connection.sendall(b"554 no\r\n")
        elif manner in ("drips", "endless"):
            while not attack.over.wait(DRIP_EVERY_S):
                connection.sendall(b"220-" if manner == "drips" else LONG_LINE)
        elif manner == "stops at the text":
            connection.sendall(b"220 siege\r\n")
            with connection.makefile("rb") as lines:
                for line in lines:
                    is_text = line[:4].upper() == b"DATA"
                    connection.sendall(b"354 go on\r\n" if is_text else b"250 ok\r\n")
                    if is_text:
                        break
        _hold(attack, connection)


def _hold(attack: Attack, connection: socket.socket) -> None:
    """Read without answering, until the other side closes the connection or the siege is over."""
    connection.settimeout(LOOK_S)
    while not attack.over.is_set():
        with suppress(TimeoutError):
            if not connection.recv(65536):
                return
