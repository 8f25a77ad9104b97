"""Half headers, half bodies, long headers, malformed requests, and clients that never read the answer."""

import socket
from collections import deque
from contextlib import suppress

from hil_tests.siege.attack import Attack

ADDRESSES = ("127.0.0.6", "127.0.0.7")
MOST = 150  # open connections
PAUSE_S = 0.03
WITHIN_S = 5.0
ANSWER_WITHIN_S = 0.5  # most get none
HALF = (
    b"GET /login HTTP/1.1\r\nHost: x\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nname=",
    b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nname=",
    b"POST /api/webhooks/tesla HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{",
    b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 15_000,
)
BROKEN = (
    b"GET /login HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /login HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(2000)) + b"\r\n",
    b"GET /login HTTP/1.1\r\n\r\n",
    b"GET /login HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /login HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /%00%ff%ed%a0%80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /login?next=%00&next=%ed%a0%80&%ff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"GET //evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"SIEGE /login HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /login HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\n--x",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=\xff\r\nContent-Length: 3\r\n\r\n--\xff",
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[[[[[",
    b"GET /login HTTP/1.1\r\nHost: x\r\nCookie: chargekeeper=\xff\x01; =; ;;a\r\n\r\n",
    b"GET /live HTTP/1.1\r\nHost: x\r\nLast-Event-ID: \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    b"GET /api/charge-points?after=%00 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Og==\r\n\r\n",
    b"GET /static/..%2f..%2fapp.py HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nRange: bytes=0-0,-1\r\nIf-Modified-Since: \xff\r\nX-Forwarded-For: \xff\r\n\r\n",
    b"\r\n" * 5000,
    b"\0" * 5000,
)
UNREAD = b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n" * 30
SMALL_BUFFER = 2048  # bytes of the receive buffer, so that unread answers stay in the bridge


def attack(attack: Attack) -> None:
    """Send one request at a time; half and unread requests stay open."""
    opened: deque[socket.socket] = deque()
    try:
        while not attack.over.wait(PAUSE_S):
            name, shapes = attack.random.choice(
                [("half", HALF), ("broken", BROKEN), ("broken", BROKEN), ("unread", (UNREAD,))]
            )
            request = attack.random.choice(shapes)
            try:
                address = attack.random.choice(ADDRESSES)
                one = _connected(attack.target.http_port, address)
            except OSError as error:
                attack.counts[type(error).__name__] += 1
                continue
            attack.counts[name] += 1
            opened.append(one)
            one.setblocking(False)
            with suppress(OSError):
                one.send(request)
            if name == "broken":
                _read_answer(attack, one, request)
                opened.pop().close()
            if len(opened) > MOST:
                opened.popleft().close()
    finally:
        for one in opened:
            one.close()


def _connected(port: int, address: str) -> socket.socket:
    one = socket.socket()
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        one.settimeout(WITHIN_S)
        one.bind((address, 0))
        one.connect(("127.0.0.1", port))
    except OSError:
        one.close()
        raise
    return one


def _read_answer(attack: Attack, one: socket.socket, request: bytes) -> None:
    one.settimeout(ANSWER_WITHIN_S)
    try:
        head = one.recv(4096)
    except OSError as error:
        attack.counts[type(error).__name__] += 1
        return
    words = head.split(b" ", 2)
    if len(words) == 3 and words[1].isdigit():
        attack.answered(int(words[1]), repr(request[:200]))
    else:
        attack.counts["closed"] += 1
