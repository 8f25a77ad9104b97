"""The file of `python -m cloud_bridge unit add --file`: an id on each line, of many charge points that are added at once."""

from collections import Counter
from pathlib import Path

from cloud_bridge.errors import BridgeError

MAX_IDS = 100_000  # in one transaction: about half a minute, in which messages wait for their commit


def read_ids(path: Path) -> list[str]:
    """In the order of the file, without its empty lines. Raises BridgeError."""
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
