"""A clock that a test moves."""


class FakeClock:
    def __init__(self):
        self.now = 0

    def now_ms(self):
        return self.now

    def sleep_ms(self, ms):
        self.now += ms

    def set_back(self, by_ms):
        self.now -= by_ms
