"""micropython-umqtt.simple 1.3.4, fetched from the package index and checked by its hash. It is not in this repository.

It is a bare archive without a setup.py, which pip refuses. `unearth` downloads it with pip's own settings.
"""

import hashlib
import tarfile
import tempfile
from pathlib import Path

from hil_tests.environment.errors import SetUpError, run

REQUIREMENT = "micropython-umqtt.simple==1.3.4"
ARCHIVE = "micropython-umqtt.simple-1.3.4.tar.gz"
MEMBER = "micropython-umqtt.simple-1.3.4/umqtt/simple.py"
SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
LIBRARY = Path("micropython/lib")  # in .venv: the folder for MICROPYPATH


def fetch(venv: Path) -> None:
    module = venv / LIBRARY / "umqtt" / "simple.py"
    if module.exists():
        return
    print("3/4  umqtt.simple ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="chargekeeper-umqtt-") as folder:
        run(
            [venv / "bin" / "python", "-m", "unearth", REQUIREMENT, "--download", folder],
            "Does `pip download six` work on this machine?",
        )
        archive = Path(folder) / ARCHIVE
        if not archive.exists() or hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise SetUpError(f"{ARCHIVE} is not the file this project was built with; nothing was installed.")
        with tarfile.open(archive) as packed:
            source = packed.extractfile(MEMBER)
            if source is None:
                raise SetUpError(f"{ARCHIVE} does not hold {MEMBER}.")
            module.parent.mkdir(parents=True, exist_ok=True)
            module.write_bytes(source.read())
