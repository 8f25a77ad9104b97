"""Do units and pages notice when 100 people log in at once, again and again?"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from pathlib import Path

from hil_tests.bench.cloud.browser import NAME, Browser
from hil_tests.bench.cloud.load import Fleet, Sent, percentile
from hil_tests.fixtures.bridge_process import CHECKOUT
from hil_tests.fixtures.children import die_with_parent
from hil_tests.fixtures.cloud_fixture import CloudFixture
from hil_tests.fixtures.progress import bar

PEOPLE = 100
SECONDS = 60.0
UNITS = 20
HEARTBEAT_EVERY_S = 1.0  # of each unit
PAGE_EVERY_S = 0.1
PUBACK_LIMIT_MS = 200.0
PAGE_LIMIT_MS = 500.0


def logins() -> bool:
    """Measure PUBACK and page times, and lost canaries, during a minute of 100 simultaneous logins. Return True if all
    hold."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = CloudFixture(Path(folder))
        units = cloud.add_units([f"cp{number:05d}" for number in range(UNITS)])
        password = cloud.command("user", "add", NAME, "--role", "support")["password"]
        _add_people(folder)
        cloud.start()
        try:
            fleet = Fleet(cloud.mqtt_port, units)
            fleet.connect()
            browser = Browser(cloud.http_port, password)
            quiet = _measure(fleet, browser, SECONDS / 6)
            crowd = _Crowd(cloud.http_port)
            busy = _measure(fleet, browser, SECONDS)
            answers = crowd.stop()
            fleet.disconnect()
            health = cloud.health()
        finally:
            cloud.stop()
    held = True
    for name, (sent, looks) in (("alone", quiet), (f"beside {PEOPLE} logins at once", busy)):
        puback_ms, page_ms = percentile(sent.latencies_s, 0.99) * 1000, percentile(looks, 0.99) * 1000
        print(
            f"{name}: PUBACK p99 {puback_ms:.0f} ms, limit {PUBACK_LIMIT_MS:.0f} ({sent.acknowledged} of them); ",
            end="",
        )
        print(f"page p99 {page_ms:.0f} ms, limit {PAGE_LIMIT_MS:.0f} ({len(looks)} looks)")
        held = held and puback_ms <= PUBACK_LIMIT_MS and page_ms <= PAGE_LIMIT_MS
    lost = health["counters"]["canaries_lost"]
    print(f"  logins: {answers['303']} let in, {answers['429']} asked to try again, {dict(answers)}")
    print(f"  canaries lost: {lost}; listening: {health['listening']}; load of the machine {os.getloadavg()[0]:.1f}")
    return held and lost == 0 and health["listening"] and set(answers) <= {"303", "429"} and answers["303"] > PEOPLE


def _add_people(folder: str) -> None:
    """Add people with one password and one hash: each login costs the same."""
    script = (
        "import sys;from pathlib import Path;from cloud_bridge.store.database import open_database;"
        "from cloud_bridge.store.people import add_person,Role;from cloud_bridge.passwords import Passwords;"
        "h=Passwords().hash('correct horse');d=open_database(Path(sys.argv[1]));c=d.writing();k=c.__enter__();"
        "[add_person(k,f'p{n}',h,Role.DRIVER,0) for n in range(int(sys.argv[2]))];c.__exit__(None,None,None)"
    )
    subprocess.run([sys.executable, "-c", script, folder, str(PEOPLE)], cwd=CHECKOUT, check=True)


def _measure(fleet: Fleet, browser: Browser, seconds: float) -> tuple[Sent, list[float]]:
    """Publish from the units and open a page for `seconds`."""
    looks: list[float] = []
    started_s = time.monotonic()
    until_s = started_s + seconds

    def look() -> None:
        while time.monotonic() < until_s:
            looks.append(browser.look("/charge-points/cp00000"))
            time.sleep(PAGE_EVERY_S)

    looking = threading.Thread(target=look)
    looking.start()
    with bar("logins", int(seconds), lambda: int(time.monotonic() - started_s)):
        sent = fleet.pace(HEARTBEAT_EVERY_S, seconds)
    looking.join()
    return sent, looks


class _Crowd:
    """People who log in, in a process at a lower priority: in reality they are on other machines."""

    def __init__(self, port: int) -> None:
        words = ["nice", "-n", "15", sys.executable, "-m", "hil_tests.bench.cloud.logins", str(port), str(PEOPLE)]
        self._process = subprocess.Popen(
            words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
        )

    def stop(self) -> Counter[str]:
        """Stop the process. Return the number of logins by status."""
        said, _ = self._process.communicate()
        return Counter(json.loads(said))


def crowd(port: int, people: int) -> None:
    """Log in as all people at once, again and again, until the input ends. Print the answers as JSON."""
    answers: Counter[str] = Counter()
    end = threading.Event()

    def log_in(name: str) -> None:
        while not end.is_set():
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", "/login")
                page = connection.getresponse()
                cookie = (page.getheader("Set-Cookie") or "").split(";")[0]
                found = re.search(r'name="form" value="([0-9a-f]+)"', page.read().decode())
                form = urllib.parse.urlencode(
                    {"name": name, "password": "correct horse", "form": found[1] if found else ""}
                )
                headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
                connection.request("POST", "/login", form, headers)
                answer = connection.getresponse()
                answer.read()
                answers[str(answer.status)] += 1
                connection.close()
            except OSError as error:
                answers[type(error).__name__] += 1

    threads = [threading.Thread(target=log_in, args=[f"p{number}"]) for number in range(people)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    end.set()
    for thread in threads:
        thread.join()
    print(json.dumps(answers))


if __name__ == "__main__":
    crowd(int(sys.argv[1]), int(sys.argv[2]))
