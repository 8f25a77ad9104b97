"""The file of `python -m cloud_bridge unit add --file`: the ids of the charge points to add, one on each line."""

from collections import Counter
from pathlib import Path

from cloud_bridge.errors import BridgeError

MAX_IDS = 100_000  # in one transaction, which takes about half a minute; meanwhile, messages wait for their commit


def read_ids(path: Path) -> list[str]:
    """Return the ids in the order of the file, without empty lines. Raises BridgeError."""
    try:
        ids = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise BridgeError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BridgeError(f"{path} is not text in UTF-8") from error
    if not 1 <= len(ids) <= MAX_IDS:
        raise BridgeError(f"{path} has {len(ids)} ids; add 1 to {MAX_IDS} at once")
    name, count = Counter(ids).most_common(1)[0]
    if count > 1:
        raise BridgeError(f"{path} has {name} {count} times")
    return ids
