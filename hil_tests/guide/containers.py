"""podman in a clean root, which has no registry and no control groups of its own.

The Containerfile's base image is not available there. An image of the clean root takes its place: a Debian with
Debian's Python 3.11. Each line of the Containerfile is then built and run unchanged.
"""

SETTINGS = """
mkdir -p /etc/containers
cat > /etc/containers/containers.conf <<'END'
[containers]
netns = "host"
cgroups = "disabled"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
env = ["BUILDAH_ISOLATION=chroot", "BUILDAH_LAYERS=false"]
END
cat > /etc/containers/storage.conf <<'END'
[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
END
"""
BASE = f"""{SETTINGS}
systemctl stop chargekeeper-all
ln -sf /usr/bin/python3 /usr/local/bin/python
[ ! -e /etc/npmrc ] || cat /etc/npmrc >> /root/.npmrc  # a Node that pip brought does not look there
left_out=$(printf -- '--exclude=./%s ' opt srv tmp var/tmp var/cache var/backups var/lib/containers var/lib/postgresql \\
    var/lib/chargekeeper etc/chargekeeper etc/passwd etc/group etc/shadow etc/gshadow)
mkdir -p /srv/image/etc
for name in passwd group shadow gshadow; do grep -v ^chargekeeper: /etc/$name > /srv/image/etc/$name; done
tar --one-file-system $left_out -cf /srv/image.tar -C / .
tar -rf /srv/image.tar -C /srv/image ./etc/passwd ./etc/group ./etc/shadow ./etc/gshadow
podman import --quiet /srv/image.tar docker.io/library/python:3.11-slim-bookworm
"""
LOOK = """
podman healthcheck run chargekeeper
test "$(podman exec chargekeeper id --user)" = 10001
podman image inspect --format '{{.Config.ExposedPorts}}' chargekeeper | grep 8883
podman rm --force chargekeeper
"""
