"""Run `python -m hil_tests.rig`: a virtual unit on its own."""

import sys

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it

if __name__ == "__main__":
    try:
        from hil_tests.rig.command_line import main  # the import takes a second: catch a Ctrl-C in it too

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
