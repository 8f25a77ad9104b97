"""MicroPython's tls in name only, so that modules can import it. Tests with handshakes run on MicroPython."""
