"""`python -m cloud_bridge.vehicles rotate-key`: re-encrypts all grants and second factors with a new key, while the bridge
runs.

With keys in the environment, put the new key first; this command encrypts with it, and the old key can then be removed. With
the key file, this command also creates the new key, and removes old keys that are no longer in use.
"""

import argparse
import os
import sys
from collections.abc import Mapping

from cloud_bridge.errors import BridgeError
from cloud_bridge.second_factor import SecondFactors
from cloud_bridge.settings import read_settings
from cloud_bridge.settings_file import add_file
from cloud_bridge.store.database import open_database
from cloud_bridge.store.second_factors import key_ids_of_second_factors
from cloud_bridge.vehicles.tokens.keys import KeyFile, key_source
from cloud_bridge.vehicles.tokens.vault import Vault

OWNER_ONLY = 0o077  # as cloud_bridge/__main__.py


def main(arguments: list[str] | None = None) -> int:
    """Return exit code 0, or 1 with one line on standard error if the command failed."""
    parser = argparse.ArgumentParser(prog="python -m cloud_bridge.vehicles")
    parser.add_argument("command", choices=["rotate-key"])
    parser.parse_args(arguments)
    try:
        add_file(os.environ)
        print(rotate_key(os.environ))
    except BridgeError as error:
        print(f"chargekeeper: {error}", file=sys.stderr)
        return 1
    return 0


def rotate_key(environment: Mapping[str, str]) -> str:
    """Re-encrypt everything with the current key. Returns a line of text for the operator. Raises BridgeError; everything can
    still be decrypted then."""
    settings = read_settings(environment)
    source = key_source(settings.folder, environment)
    database = open_database(settings.store)
    try:
        old = set(source.keys().keys)
        if isinstance(source, KeyFile):
            source.add()
        with database.writing() as connection:
            vault = Vault(source)
            count, factors = vault.reseal(connection), SecondFactors(database, source).reseal(connection)
            unused = old - vault.key_ids(connection) - key_ids_of_second_factors(connection)
        if isinstance(source, KeyFile):
            source.drop(unused)
        return f"{count} grants and {factors} second factors are sealed with the key {source.keys().current} now"
    finally:
        database.close()


if __name__ == "__main__":
    os.umask(OWNER_ONLY)
    sys.exit(main())
