"""A gateway's use of its modem: Debian's pppd dials ATD*99#, then bytes go over TCP in both directions.

    python ppp_client.py DEVICE HOST PORT

It runs in a network namespace, or as the first process of a User Mode Linux, which it prepares first and powers off at
the end. It sends everything that the server sends before its end of file back to the server.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

UP_WITHIN_S, TRANSFER_WITHIN_S, DOWN_WITHIN_S = 60, 60, 20
# The first characters may be lost while the line is opened. Gateways therefore repeat the command.
CHAT = "chat -v TIMEOUT 10 ABORT 'NO CARRIER' ABORT ERROR"
DIAL = (
    f"{CHAT} '' AT OK-AT-OK-AT-OK ATZ OK ATE0 OK 'AT+CGDCONT=1,\\042IP\\042,\\042internet\\042' OK ATD*99***1# CONNECT"
)
HANG_UP = f"{CHAT} '' AT OK-AT-OK"  # wait until it answers commands again
OPTIONS = ["115200", "noauth", "nodetach", "local", "nocrtscts", "noipdefault", "defaultroute", "debug", "nolock"]

MODULES = ("lib/crc-ccitt", "drivers/net/slip/slhc", "drivers/net/ppp/ppp_generic", "drivers/net/ppp/ppp_async")
PRIVATE = ("/run", "/tmp", "/var/log", "/var/tmp")  # the rest of the machine is read-only there
FINIT_MODULE = 313  # syscall of x86-64, the only architecture of User Mode Linux
POWER_OFF = 0x4321FEDC  # reboot(2)


def converse(device: str, host: str, port: int) -> int:
    """Dial once and exchange data. Return the exit status of pppd, 5 if it ended on request."""
    pppd = subprocess.Popen(["pppd", device, *OPTIONS, "connect", DIAL, "disconnect", HANG_UP])
    try:
        with _connected(host, port, pppd) as connection:
            received = bytearray()
            while chunk := connection.recv(4096):
                received += chunk
            connection.sendall(received)
            linger = struct.pack("ii", 1, TRANSFER_WITHIN_S)  # close() waits until everything is acknowledged
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        print(f"{len(received)} bytes came and went back", flush=True)
    finally:
        pppd.terminate()
        ended = pppd.wait(DOWN_WITHIN_S)
    return ended


def _connected(host: str, port: int, pppd: subprocess.Popen[bytes]) -> socket.socket:
    deadline_s = time.monotonic() + UP_WITHIN_S
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=5)
        except OSError as error:
            if time.monotonic() > deadline_s or pppd.poll() is not None:
                raise SystemExit(f"no connection: {error}; pppd: {pppd.poll()}") from error
            time.sleep(0.2)
        else:
            connection.settimeout(TRANSFER_WITHIN_S)
            return connection


def prepare() -> None:
    """Prepare a User Mode Linux for pppd: its file systems, and PPP in its kernel. Raises OSError."""
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    for folder in PRIVATE:
        subprocess.run(["mount", "-t", "tmpfs", "private", folder], check=True)
    libc = ctypes.CDLL(None, use_errno=True)
    root = Path("/usr/lib/uml/modules") / os.uname().release / "kernel"
    for name in MODULES:
        with (root / f"{name}.ko").open("rb") as module:
            if libc.syscall(FINIT_MODULE, module.fileno(), b"", 0) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)


def main() -> int:
    device, host, port = sys.argv[1:4]  # further arguments belong to User Mode Linux
    if os.getpid() != 1:
        return converse(device, host, int(port))
    status = -1
    try:
        prepare()
        status = converse(device, host, int(port))
    except (
        OSError,
        subprocess.SubprocessError,
        SystemExit,
    ) as error:  # print the error before the machine is powered off
        print(f"failed: {error!r}", flush=True)
    finally:  # a kernel panics if its first process ends
        print(f"ended with {status}", flush=True)
        os.sync()
        ctypes.CDLL(None).reboot(POWER_OFF)
    return status


if __name__ == "__main__":
    sys.exit(main())
