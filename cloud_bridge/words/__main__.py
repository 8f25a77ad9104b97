"""`python -m cloud_bridge.words`: reads the code and the templates anew into the catalogue, and every language with it."""

import sys

from cloud_bridge.words.extraction import update_files

if __name__ == "__main__":
    for line in update_files():
        print(line)
    sys.exit(0)
