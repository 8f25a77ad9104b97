"""Does a letter go to one exact address, as plain text, and end in time whatever the mail server does?"""

import email
import email.policy
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cloud_bridge.alerts import mail
from cloud_bridge.alerts.errors import NotDelivered, TargetRefused
from cloud_bridge.alerts.mail import MailServer, read_server, send_mail
from cloud_bridge.errors import BridgeError, SettingError
from cloud_bridge.store.email import checked_email

WITHIN_S = 0.5
NOISE_S = 10.0
GO_ON_S = 0.02


class Post:
    """A mail server that accepts everything (RFC 5321). `said` contains the lines of the envelopes, `letters` the messages."""

    def __init__(self, greeting: Callable[["Post", socketserver.StreamRequestHandler], None] | None = None) -> None:
        self.said: list[str] = []
        self.letters: list[bytes] = []
        self.ended = threading.Event()
        post = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if greeting is not None:
                    greeting(post, self)
                    return
                self.wfile.write(b"220 post\r\n")
                for line in self.rfile:
                    post.said.append(line.decode("latin-1").strip())
                    if line.upper().startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        lines = iter(self.rfile.readline, b".\r\n")
                        post.letters.append(b"".join(line.removeprefix(b".") for line in lines))  # section 4.5.2
                    self.wfile.write(b"250 ok\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.setting = f"mailto://127.0.0.1:{self._server.server_address[1]}?from=keeper@example.org"

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def post() -> Iterator[Post]:
    post = Post()
    yield post
    post.close()


def test_a_letter_is_plain_text_from_us_to_one_address(post: Post) -> None:
    words = "Garage ✓ stopped.\n.\nRCPT TO:<eve@example.org>\nBcc: eve@example.org\n\nhttps://example.org/x"
    send_mail(post.setting, "ann@example.org", words)
    (raw,) = post.letters
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().replace("\r\n", "\n").strip() == words
    assert (letter["From"], letter["To"], letter["Subject"]) == (
        "keeper@example.org",
        "ann@example.org",
        "Chargekeeper",
    )
    assert [line for line in post.said if line.startswith(("mail", "rcpt"))] == [
        next(line for line in post.said if line.startswith("mail FROM:<keeper@example.org>")),
        "rcpt TO:<ann@example.org>",
    ]


def test_a_mail_program_is_told_where_such_letters_are_switched_off(post: Post) -> None:
    send_mail(post.setting, "ann@example.org", "words", "https://example.org/account/notifications")
    send_mail(post.setting, "ann@example.org", "words")
    told = [email.message_from_bytes(raw, policy=email.policy.default)["List-Unsubscribe"] for raw in post.letters]
    assert told == ["<https://example.org/account/notifications>", None]


@pytest.mark.parametrize(
    "local", ["ann", "ann+chargers", "o'neil", "a%40b", "a&to=eve", "a?to=eve", "!a#b$c*d/e=f^g_h`i{j|k}l~m"]
)
def test_an_odd_address_is_the_envelope_s_as_it_is(post: Post, local: str) -> None:
    address = checked_email(f"{local}@example.org")
    send_mail(post.setting, address, "words")
    assert [line for line in post.said if line.startswith("rcpt")] == [f"rcpt TO:<{address}>"]


@pytest.mark.parametrize(
    "address",
    [
        *("", "ann", "@example.org", "ann@", "ann@@example.org", "ann@ex ample.org", "a@example.org,b@example.org"),
        *("a@example.org;b@example.org", "a@example.org b@example.org", "<a@example.org>", "Ann <a@example.org>"),
        *("a(b)@example.org", '"a b"@example.org', "a@[10.0.0.1]", "a@example.org>", "a@example.org\r\nRCPT TO:<b@x.org>"),
        *("a@example.org\nBcc: b@x.org", "a@example.org?to=b@x.org", "a@example.org%0d%0a", "ä@example.org", "a@exämple.org"),
        *("a\0@example.org", "\ud800@example.org", "x" * 65 + "@example.org", "a@" + "x" * 181, "a@b..c", ".a@example.org"),
    ],
)  # fmt: skip
def test_what_is_no_single_address_is_refused_at_the_form_and_at_sending(post: Post, address: str) -> None:
    with pytest.raises(BridgeError):
        checked_email(address)
    with pytest.raises(TargetRefused):
        send_mail(post.setting, address, "words")
    assert post.said == []


def dripping(post: Post, talk: socketserver.StreamRequestHandler) -> None:
    while not post.ended.wait(GO_ON_S):
        talk.wfile.write(b"2")


def continuing(post: Post, talk: socketserver.StreamRequestHandler) -> None:
    while not post.ended.wait(GO_ON_S):
        talk.wfile.write(b"220-and\r\n")


def silent(post: Post, _talk: socketserver.StreamRequestHandler) -> None:
    post.ended.wait(30)


@pytest.mark.parametrize("greeting", [dripping, continuing, silent])
def test_a_mail_server_that_does_not_come_to_an_end_is_left_in_time(
    monkeypatch: pytest.MonkeyPatch, greeting: Callable[[Post, socketserver.StreamRequestHandler], None]
) -> None:
    monkeypatch.setattr(mail, "MAIL_WITHIN_S", WITHIN_S)
    post = Post(greeting)
    try:
        began_s = time.monotonic()
        with pytest.raises(NotDelivered, match="did not take it"):
            send_mail(post.setting, "ann@example.org", "words")
        assert time.monotonic() - began_s < WITHIN_S + NOISE_S
    finally:
        post.close()


def test_a_password_never_goes_to_a_server_without_tls(post: Post) -> None:
    secure = post.setting.replace("mailto://", "mailtos://keeper:secret@")
    with pytest.raises(NotDelivered):
        send_mail(secure, "ann@example.org", "words")
    assert not any("secret" in line or line.startswith(("AUTH", "mail")) for line in post.said)


def test_no_server_is_one_clear_word() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
        send_mail(f"mailto://127.0.0.1:{port}", "ann@example.org", "words")
    for server, address in ((None, "ann@example.org"), ("mailto://mail.example", None)):
        with pytest.raises(NotDelivered):
            send_mail(server, address, "words")


@pytest.mark.parametrize(
    ("setting", "server"),
    [
        ("mailtos://ann:pa%40ss@mail.example", ("mail.example", 587, "starttls", "ann", "pa@ss", "ann@mail.example")),
        ("mailtos://a%40b.c:x@mail.example:465", ("mail.example", 465, "ssl", "a@b.c", "x", "a@b.c")),
        ("mailto://mail.example", ("mail.example", 25, "insecure", "", "", "chargekeeper@mail.example")),
        ("mailtos://u:p@m.example?mode=ssl&from=k@b.c", ("m.example", 465, "ssl", "u", "p", "k@b.c")),
        ("mailto://127.0.0.1:2525?from=k@b.c&mode=insecure", ("127.0.0.1", 2525, "insecure", "", "", "k@b.c")),
    ],
)
def test_the_setting_is_read(setting: str, server: tuple[str, int, str, str, str, str]) -> None:
    assert read_server(setting) == MailServer(*server)


@pytest.mark.parametrize(
    "setting",
    [
        *(
            "",
            "smtp://x",
            "mailtos://",
            "mailtos://h:99999",
            "mailtos://u:p@h?template=/etc/passwd",
            "mailtos://u:p@h/x@y.z",
        ),
        *("mailtos://u:p@h?mode=insecure", "mailtos://u:p@h?mode=else", "mailtos://h?from=a%20b", "json://h"),
    ],
)
def test_a_setting_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(SettingError, match="CHARGEKEEPER_MAIL has to be"):
        read_server(setting)
