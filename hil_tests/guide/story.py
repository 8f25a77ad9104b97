"""What a stranger types, page by page, and what must hold afterwards."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.guide import acme, containers
from hil_tests.guide.blocks import Block, read
from hil_tests.guide.clean_root import CleanRoot
from hil_tests.guide.versions import Versions

DEPLOY = CHECKOUT / "cloud_bridge" / "deploy"
TARGET = "make stranger"
FETCHES = ("apt-get ", "hil_tests.environment", "podman build")
TAIL = 3000  # characters of the output that a failure shows
DEBIAN_STARTS = {"nginx", "postgresql", "caddy"}  # what Debian starts at the installation
DOCTOR = "chargekeeper doctor\n"
A_MINUTE_S = 60.0
CONTACT = "chargekeeper unit list --json"
PAGES = f"curl --silent --show-error --fail --retry 10 --retry-all-errors --cacert {acme.ROOTS}"


class CommandFailed(Exception):
    """Lines of a page did not do what the page says."""


class Section(NamedTuple):
    page: str
    section: str
    check: "Callable[[Typist], None] | None" = None
    before: str = ""  # run first, not from the page: what differs here from a machine on the internet


class Typist:
    """Runs blocks, one after another, on one clean machine."""

    def __init__(self, root: CleanRoot, versions: Versions) -> None:
        self._root = root
        self._versions = versions
        self.version = versions.former
        self.took: list[tuple[str, str, float]] = []
        self.printed = ""  # by the latest block
        self.secret = ""  # of the unit
        self.kept = ""  # the unit's last contact at the backup
        self.contacts: list[str] = []

    def do(self, text: str, what: str = "a check", fetches: bool = False) -> str:
        """Run lines and return their output. Raises CommandFailed."""
        environment = {"REPOSITORY": "/srv/chargekeeper.git", "VERSION": self.version}
        done = self._root.run(text, environment, fetches)
        if done.returncode:
            print(f"{text}\n{done.stdout[-TAIL:]}", flush=True)
            raise CommandFailed(f"{what} ended with {done.returncode}")
        return done.stdout

    def type(self, block: Block) -> None:
        if block.file is not None:
            self._lay(block)
            return
        if block.run_by != TARGET:
            return
        began_s = time.monotonic()
        if block.text == DOCTOR:
            self._ask_doctor()
        else:
            fetches = any(word in block.text for word in FETCHES)
            self.printed = self.do(block.text, str(block), fetches)
        took_s = time.monotonic() - began_s
        if "apt-get install" in block.text:
            for name in DEBIAN_STARTS & set(block.text.split()):
                self.do(f"systemctl start {name}")
        first = next(line.strip() for line in block.text.splitlines() if not line.startswith("cd "))
        self.took.append((str(block), first, took_s))
        print(f"{took_s:7.1f} s  {block!s:22} {first[:90]}", flush=True)

    def _ask_doctor(self) -> None:
        """Run the doctor until it reports nothing unexpected. Raises CommandFailed.

        The clock is this machine's, which may not be synchronised. The former version complains about its broker if
        there is no API token.
        """
        known = {"clock", "broker"} if self.version == self._versions.former else {"clock"}
        give_up_s = time.monotonic() + A_MINUTE_S
        while True:
            bad = [line for line in self.do(f"{DOCTOR.strip()} || true").splitlines() if line.startswith("BAD")]
            ill = [line for line in bad if line.split()[1] not in known]
            if not ill:
                return
            if time.monotonic() > give_up_s:
                raise CommandFailed("\n".join(ill))
            time.sleep(1)

    def _lay(self, block: Block) -> None:
        assert block.file is not None
        path, mode, owner = block.file
        own = acme.FOR_CADDY if block.language == "caddy" else ""
        self._root.write(path, own + block.text, mode)
        self.do(f"chown {owner} {path}", str(block))

    def beat(self) -> None:
        """Publish a heartbeat of the unit, and record its new last contact."""
        self.do(f"/usr/local/bin/one_unit {self.secret}", "the unit")
        self.contacts.append(self.contact())

    def contact(self) -> str:
        told = self.do(CONTACT)
        (unit,) = json.loads(told[told.index("[") :])
        return str(unit["last_contact"])


def expect(is_so: bool, what: str) -> None:
    if not is_so:
        raise CommandFailed(f"it is not so that {what}")


def started(typist: Typist) -> None:
    """Connect a unit with the printed secret, and read its contact."""
    line = next(line for line in typist.printed.splitlines() if "secret " in line)
    typist.secret = line.split("secret ")[1].split()[0]
    typist.do("systemd-analyze verify --man=no /etc/systemd/system/chargekeeper-all.service")
    typist.beat()


def certified(typist: Typist) -> None:
    typist.do("test -s /etc/ssl/chargers.example.pem && test -s /etc/ssl/private/chargers.example.key")


def serial(typist: Typist) -> str:
    """Return the serial number of the certificate that nginx presents."""
    shown = "openssl s_client -connect chargers.example:443 -servername chargers.example < /dev/null 2> /dev/null"
    return typist.do(f"{shown} | openssl x509 -noout -serial")


def expect_renewed(typist: Typist, former: str, by: str) -> None:
    """Wait until nginx presents another certificate: for a moment after a reload, the old workers still accept connections."""
    give_up_s = time.monotonic() + A_MINUTE_S
    while serial(typist) == former:
        expect(time.monotonic() < give_up_s, f"nginx presents the certificate that {by} has renewed")
        time.sleep(1)


def behind_nginx(typist: Typist) -> None:
    """Check pages over TLS, and that nginx presents a renewed certificate without help."""
    page = typist.do(f"{PAGES} https://chargers.example/login")
    expect("<form" in page, "the login comes through nginx")
    moved = typist.do("curl --silent --head http://chargers.example/login")
    expect(" 308 " in moved, "port 80 leads to 443")
    former = serial(typist)
    typist.do("certbot renew --force-renewal --no-random-sleep-on-renew")
    expect_renewed(typist, former, "certbot")


def renewed_by_lego(typist: Typist) -> None:
    former = serial(typist)
    lego = "lego --accept-tos --email you@chargers.example --path /etc/lego --domains chargers.example --http"
    hook = "--renew-hook /usr/local/sbin/chargekeeper-renewed"
    typist.do(f"{lego} --http.webroot /var/www/html renew --days 9999 --no-random-sleep {hook}")
    expect_renewed(typist, former, "lego")


def behind_caddy(typist: Typist) -> None:
    page = typist.do(f"{PAGES} https://chargers.example/login")
    expect("<form" in page, "the login comes through Caddy")
    typist.do("systemctl stop caddy && systemctl start nginx")


def units_come(typist: Typist) -> None:
    typist.beat()


def backed_up(typist: Typist) -> None:
    """Check that only the service can read the backup, and that an old one is deleted. A later contact will be undone
    by the restore."""
    typist.do("systemd-analyze verify --man=no /etc/systemd/system/chargekeeper-backup.timer")
    old = "/var/backups/chargekeeper/2020-01-01T032000.backup"
    typist.do(f"touch --date 2020-01-01 {old} && systemctl start chargekeeper-backup && test ! -e {old}")
    typist.do("test -z \"$(find /var/backups/chargekeeper -name '*.backup' ! '(' -user chargekeeper -perm 600 ')')\"")
    typist.kept = typist.contacts[-1]
    typist.beat()
    expect(typist.contacts[-1] != typist.kept, "the unit was heard after the backup")


def as_backed_up(typist: Typist) -> None:
    expect(typist.contact() == typist.kept, "the last contact is that of the backup")
    typist.beat()


def upgraded(typist: Typist) -> None:
    """Check that the upgrade lost nothing. A later contact will be lost on the way back."""
    typist.kept = typist.contacts[-1]
    expect(typist.contact() == typist.kept, "the last contact is that from before the upgrade")
    typist.beat()


def moved(typist: Typist) -> None:
    expect(typist.contact() == typist.contacts[-1], "PostgreSQL has the last contact")
    typist.do("grep -q postgresql /etc/chargekeeper/settings.toml")
    typist.beat()


def contained(typist: Typist) -> None:
    typist.do(containers.LOOK)


STORY = (
    Section("README.md", "Install"),
    Section("README.md", "A user, settings and the service"),
    Section("README.md", "Start", started),
    Section("certificates.md", "By certbot", certified),
    Section("proxies.md", "nginx", behind_nginx),
    Section("certificates.md", "By lego", renewed_by_lego),
    Section("proxies.md", "Caddy", behind_caddy, before="systemctl stop nginx"),
    Section("certificates.md", "Of charge points", units_come),
    Section("backup.md", "Backup", backed_up),
    Section("backup.md", "The drill", as_backed_up),
    Section("backup.md", "Upgrade", upgraded),
    Section("backup.md", "Rollback", as_backed_up),
    Section("backup.md", "Upgrade", upgraded),
    Section("growing.md", "To PostgreSQL", moved),
    Section("backup.md", "Backup", backed_up),
    Section("backup.md", "The drill", as_backed_up),
    Section("README.md", "As a container"),
    Section("README.md", "Build and run", contained, before=containers.BASE),
)


def blocks_of(section: Section) -> Iterator[Block]:
    return (block for block in read(DEPLOY / section.page) if block.section == section.section)


def tell() -> None:
    """Run all sections. Raises CommandFailed, SetUpError."""
    with closing(CleanRoot()) as root:
        versions = Versions(root.path / "srv" / "chargekeeper.git")
        typist = Typist(root, versions)
        root.write("/etc/hosts", "127.0.0.1 localhost chargers.example\n::1 localhost chargers.example\n")
        acme.prepare(root)
        typist.do("apt-get update && apt-get install --yes pebble python3-minimal", "setting up", fetches=True)
        typist.do(acme.START, "pebble")
        try:
            for section in STORY:
                type_section(typist, section)
        finally:
            print(as_table(typist.took), flush=True)


def type_section(typist: Typist, section: Section) -> None:
    if section.section == "Upgrade":
        typist.version = Versions.newest
    if section.before:
        typist.do(section.before)
    for block in blocks_of(section):
        typist.type(block)
    if section.check is not None:
        section.check(typist)


def as_table(took: list[tuple[str, str, float]]) -> str:
    rows = [f"| {where} | `{first}` | {seconds:.1f} s |" for where, first, seconds in took]
    total = sum(seconds for _, _, seconds in took)
    return "\n".join(
        ["", "| block | begins with | took |", "| --- | --- | --- |", *rows, f"| all | | {total / 60:.1f} min |"]
    )
