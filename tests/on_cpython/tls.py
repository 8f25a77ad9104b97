"""MicroPython's tls by name only, so that what imports it can be imported; tests that shake hands run on MicroPython."""
