"""`python -m tests.firmware.update`: generate golden.py. The private keys of its releases are discarded."""

import base64
import hashlib
import random
from pathlib import Path

from tests.firmware.update.signing import FILES, Maker

COLUMNS = 116
HEAD = '''"""Two small signed releases, by `python -m tests.firmware.update`. The private keys were forgotten at once."""

import binascii

'''


def named(name: str, content: bytes) -> str:
    """Return the bytes as a constant, in short lines."""
    text = base64.b64encode(content).decode()
    lines = "".join(f'    "{text[at : at + COLUMNS]}"\n' for at in range(0, len(text), COLUMNS))
    return f"{name} = binascii.a2b_base64(\n{lines})\n"


def main() -> None:
    """Write golden.py."""
    maker = Maker()
    noise = {
        "firmware/noise.mpy": random.Random(21).randbytes(11000)
    }  # incompressible, so that the image has many pieces
    first, second = FILES | noise, {**FILES, "firmware/other.mpy": b"other"}
    keys = "".join(f'    "{key[:64]}"\n    "{key[64:]}",\n' for key in maker.public)
    lines = [HEAD, f"KEYS = (\n{keys})\n"]
    for prefix, version, files in (("", "100.4.0", first), ("LATER_", "101.0.0", second)):
        manifest, image = maker.release(version, files)
        lines += [
            f'{prefix}VERSION = "{version}"\n',
            named(f"{prefix}MANIFEST", manifest),
            named(f"{prefix}IMAGE", image),
        ]
        lines.append(f'{prefix}HASH = "{hashlib.sha256(manifest).hexdigest()[:16]}"\n')
        lines.append(f"{prefix}DIGEST = binascii.unhexlify({prefix}HASH)\n")
    Path(__file__).with_name("golden.py").write_text("".join(lines))


if __name__ == "__main__":
    main()
