"""`python -m cloud_bridge.words`: extracts the messages of the code and the templates into the catalogue, and updates every
language."""

import sys

from cloud_bridge.words.extraction import update_files

if __name__ == "__main__":
    for line in update_files():
        print(line)
    sys.exit(0)
