"""An ACME authority in a clean root: Debian's pebble, which validates `chargers.example` on port 80 like a public one.

certbot and lego get its address by an added option, Caddy in its file. All trust it as the system does.
"""

from hil_tests.guide.clean_root import CleanRoot

DIRECTORY = "https://localhost:14000/dir"
SETTINGS = """{"pebble": {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": "/srv/pebble/server.pem", "privateKey": "/srv/pebble/server.key",
    "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false
}}
"""
START = """
mkdir -p /srv/pebble && cd /srv/pebble
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout server.key -out server.pem -days 30 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>&1
cp server.pem /usr/local/share/ca-certificates/pebble.crt
update-ca-certificates
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 setsid --fork pebble -config /srv/pebble/settings.json > log 2>&1
python3 - <<'END'
import ssl, time, urllib.request
context = ssl.create_default_context(cafile="/srv/pebble/server.pem")
give_up_s = time.monotonic() + 30
while True:
    try:
        roots = urllib.request.urlopen("https://localhost:15000/roots/0", context=context).read()
    except OSError:
        if time.monotonic() > give_up_s:
            raise
        time.sleep(0.1)
    else:
        break
open("/srv/pebble/roots.pem", "wb").write(roots)
END
"""
ROOTS = "/srv/pebble/roots.pem"  # roots of the certificates that it issues
FOR_CADDY = f"{{\n    acme_ca {DIRECTORY}\n}}\n"


def prepare(root: CleanRoot) -> None:
    """Set pebble, certbot and lego up before the first command of the guide."""
    root.write("/srv/pebble/settings.json", SETTINGS)
    for program in ("certbot", "lego"):
        lines = f'#!/bin/sh\nexec /usr/bin/{program} --server {DIRECTORY} "$@"\n'
        root.write(f"/usr/local/bin/{program}", lines, 0o755)
