"""`python -m hil_tests.cluster`, and `make cluster`: the fleet's form of the product on this machine."""

import sys

INTERRUPTED = 130  # 128 + SIGINT, as shells have it

if __name__ == "__main__":
    try:
        from hil_tests.cluster.command_line import main  # takes a second, in which somebody may press Ctrl-C already

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
