"""Whose updates this firmware takes: two public keys of P-256, x and y in hexadecimal, or "" for none.

A maker puts theirs here, and keeps the private ones off every server: two, so that one of them can be replaced by an update
that the other has signed. While both are empty no update is taken. A rig puts keys of its own in their place
(hil_tests/rig/slots_on_micropython.py); no private key is in the repository.

The 128 digits of a key in PEM:
    openssl pkey -pubin -in key.pem -outform DER | tail -c 64 | od -An -v -tx1 | tr -d ' \\n'
"""

KEYS = ("", "")
