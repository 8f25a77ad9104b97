"""Run the whole system on this machine: `python -m hil_tests`, or `make run`."""

import sys

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

if __name__ == "__main__":
    try:
        from hil_tests.demo.make_run import main  # the import takes a second: catch a Ctrl-C in it too

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
