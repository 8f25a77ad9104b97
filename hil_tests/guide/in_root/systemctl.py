#!/usr/bin/python3
"""`systemctl` without systemd: read the same unit files, and start and stop their programs.

Implemented: drop-ins (also of a prefix), Type=oneshot, User, Group, UMask, Environment, EnvironmentFile,
StateDirectory, WorkingDirectory, ExecStartPre, ExecStart, ExecStartPost, ExecReload, ExecStop, NoNewPrivileges,
capabilities. Not implemented: timers, Restart, and sandboxing (Protect..., Private..., SystemCallFilter);
`systemd-analyze verify` and `security` check these. `enable` is systemd's own.
"""

import os
import pwd
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

OWN = "/bin/systemctl"
FOLDERS = (Path("/etc/systemd/system"), Path("/lib/systemd/system"))
RUNNING = Path("/run/guide")
WITHIN_S = 60.0
DONE_HERE = ("start", "stop", "restart", "reload", "status", "is-active")

Unit = dict[str, list[str]]


def read(name: str) -> Unit:
    """Return values by key. An empty value discards earlier ones."""
    stem = name.partition("@")[0] + ("@" if "@" in name else "")
    prefixes = [stem[: at.end()] for at in re.finditer("-", stem)]
    found = next(folder / f"{stem}.service" for folder in FOLDERS if (folder / f"{stem}.service").exists())
    names = [*(f"{prefix}.service.d" for prefix in prefixes), f"{stem}.service.d"]
    drop_ins = [file for one in names for folder in FOLDERS for file in (folder / one).glob("*.conf")]
    unit: Unit = {}
    for file in [found, *sorted(drop_ins, key=lambda file: file.name)]:
        text = file.read_text().replace("\\\n", " ").replace("%i", name.partition("@")[2])
        for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
            unit[key] = [*unit.get(key, []), value.strip()] if value.strip() else []
    return unit


def last(unit: Unit, key: str, default: str = "") -> str:
    return unit.get(key, [default])[-1] if unit.get(key) else default


def environment(unit: Unit) -> dict[str, str]:
    found = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    if user := last(unit, "User"):
        found |= {"USER": user, "LOGNAME": user, "HOME": pwd.getpwnam(user).pw_dir}
    for line in unit.get("Environment", []):
        found.update({name: value for name, _, value in (pair.partition("=") for pair in shlex.split(line))})
    for name in unit.get("EnvironmentFile", []):
        if name.startswith("-") and not Path(name[1:]).exists():
            continue
        for line in Path(name.lstrip("-")).read_text().splitlines():
            if line.strip() and line.strip()[0] not in "#;":
                key, _, value = line.partition("=")
                found[key.strip()] = value.strip().strip("\"'")
    return found


def as_user(unit: Unit) -> list[str]:
    """Return the words to put before a command of this unit."""
    words = ["/usr/bin/setpriv"]
    user, group = last(unit, "User"), last(unit, "Group")
    if user:
        words += [f"--reuid={user}", f"--regid={group or user}", "--init-groups"]
    ambient = last(unit, "AmbientCapabilities").replace("CAP_", "").lower().split()
    if ambient:
        given = ",".join(f"+{one}" for one in ambient)
        words += [f"--inh-caps={given}", f"--ambient-caps={given}"]
    if unit.get("CapabilityBoundingSet") == []:
        words += ["--bounding-set=-all"]
    if last(unit, "NoNewPrivileges") in ("yes", "true"):
        words += ["--no-new-privs"]
    return words if len(words) > 1 else []


def run(unit: Unit, key: str) -> None:
    for line in unit.get(key, []):
        line = line.replace("$MAINPID", str(main_process(unit) or ""))
        line = line.replace("%%", "%").replace("$$", "$")
        done = subprocess.run(
            [*as_user(unit), *shlex.split(line.lstrip("-+!@:"))],
            env=environment(unit),
            cwd=last(unit, "WorkingDirectory", "/"),
            umask=int(last(unit, "UMask", "022"), 8),
            check=False,
        )
        if done.returncode and not line.startswith("-"):
            sys.exit(f"{key}={line} ended with {done.returncode}")


def pid_file(unit: Unit) -> Path:
    return Path(last(unit, "PIDFile") or RUNNING / f"{unit['Name'][0]}.pid")


def main_process(unit: Unit) -> int | None:
    try:
        pid = int(pid_file(unit).read_text())
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return None
    except (OSError, ValueError):
        return None
    return pid


def start(unit: Unit) -> None:
    if main_process(unit) is not None:
        return
    for name in last(unit, "StateDirectory").split():
        folder = Path("/var/lib") / name
        folder.mkdir(exist_ok=True)
        subprocess.run(["chown", f"{last(unit, 'User', 'root')}:{last(unit, 'Group', 'root')}", folder], check=True)
        folder.chmod(int(last(unit, "StateDirectoryMode", "755"), 8))
    run(unit, "ExecStartPre")
    if last(unit, "Type") in ("forking", "oneshot"):
        run(unit, "ExecStart")
        run(unit, "ExecStartPost")
        return
    with (RUNNING / f"{unit['Name'][0]}.log").open("ab") as log:
        process = subprocess.Popen(
            [*as_user(unit), *shlex.split(last(unit, "ExecStart").lstrip("-+!@:"))],
            env=environment(unit),
            cwd=last(unit, "WorkingDirectory", "/"),
            umask=int(last(unit, "UMask", "022"), 8),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    pid_file(unit).write_text(str(process.pid))


def stop(unit: Unit) -> None:
    run(unit, "ExecStop")
    pid = main_process(unit)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    give_up_s = time.monotonic() + WITHIN_S
    while main_process(unit) is not None:
        if time.monotonic() > give_up_s:
            sys.exit(f"{unit['Name'][0]} does not end")
        time.sleep(0.05)


def do(verb: str, name: str) -> None:
    unit = read(name) | {"Name": [name]}
    if last(unit, "ExecStart") == "/bin/true":  # its processes are units of a generator, which does not run here
        sys.exit(subprocess.run([f"/etc/init.d/{name}", verb], check=False).returncode)
    if verb in ("stop", "restart"):
        stop(unit)
    if verb in ("start", "restart"):
        start(unit)
    if verb == "reload":
        if main_process(unit) is None:
            sys.exit(f"{name} does not run")
        run(unit, "ExecReload")
    if verb in ("status", "is-active"):
        active = main_process(unit) is not None
        print("active" if active else "inactive")
        sys.exit(0 if active else 3)


def main() -> None:
    RUNNING.mkdir(exist_ok=True)
    verb, *words = [word for word in sys.argv[1:] if word not in ("--quiet", "--no-pager")] or ["help"]
    if verb == "daemon-reload":
        return
    if verb in ("enable", "disable") and "--now" in words:
        subprocess.run([OWN, verb, *(word for word in words if word != "--now")], check=True)
        verb = "start" if verb == "enable" else "stop"
    if verb not in DONE_HERE:
        os.execv(OWN, [OWN, *sys.argv[1:]])
    for name in words:
        if name.endswith(".timer"):
            continue
        if not name.startswith("-"):
            do(verb, name.removesuffix(".service"))


if __name__ == "__main__":
    main()
