"""A light that is not shown."""


class NeoPixel:
    def __init__(self, pin, count):
        self._colours = [(0, 0, 0)] * count

    def __getitem__(self, index):
        return self._colours[index]

    def __setitem__(self, index, colour):
        self._colours[index] = colour

    def write(self):
        pass
