"""`python -m hil_tests.cluster` and `make cluster`: run the product as for a fleet, on this machine."""

import sys

INTERRUPTED = 130  # 128 + SIGINT, as shells report it

if __name__ == "__main__":
    try:
        from hil_tests.cluster.command_line import main  # takes a second, in which Ctrl-C is possible

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
