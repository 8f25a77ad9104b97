"""Nothing is ever typed or received."""

POLLIN = 1


class poll:  # noqa: N801  (the name that MicroPython has)
    def register(self, stream, events):
        pass

    def poll(self, timeout_ms=-1):
        return ()
