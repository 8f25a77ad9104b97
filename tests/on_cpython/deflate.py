"""MicroPython's module deflate, as far as the firmware uses it: decompression."""

import zlib

RAW = 1


class DeflateIO:
    def __init__(self, stream, format, wbits):
        self._stream = stream
        self._unpacker = zlib.decompressobj(-wbits)
        self._ready = b""

    def read(self, most):
        while not self._ready and not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._stream.read(64)
            if not packed:
                raise EOFError
            try:
                self._ready = self._unpacker.decompress(packed, most)
            except zlib.error:
                raise OSError(22) from None
        got, self._ready = self._ready[:most], self._ready[most:]
        return got
