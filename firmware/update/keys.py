"""The public keys that may sign updates: two keys of P-256, x and y in hexadecimal, or "" for none.

A maker enters its public keys here, and keeps the private keys off every server. There are two, so that one can be replaced by
an update that the other has signed. While both are empty, every update is refused. A rig replaces them by its own keys
(hil_tests/rig/slots_on_micropython.py). No private key is in the repository.

The 128 digits of a key in PEM:
    openssl pkey -pubin -in key.pem -outform DER | tail -c 64 | od -An -v -tx1 | tr -d ' \\n'
"""

KEYS = ("", "")
