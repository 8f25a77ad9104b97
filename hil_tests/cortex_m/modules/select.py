"""A poll in which nothing is ever typed or received."""

POLLIN = 1


class poll:  # noqa: N801  (MicroPython's name)
    def register(self, stream, events):
        pass

    def poll(self, timeout_ms=-1):
        return ()
