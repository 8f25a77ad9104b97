"""Code that is in memory only while it is wanted: a module on loan, forgotten again afterwards.

Code itself stays in a board's flash, but the names, functions and tables of each imported module are memory: one to three
kB of the 96 that there are. What is wanted seldom (a command on the console, an order from the cloud, the bounds of a
setting) need not be there all the time.
"""

import sys


class LazyImport:
    """`with LazyImport("firmware.orders") as orders:`. `along` are modules that it alone imports. What was made by it may live
    on, with the code that it uses."""

    def __init__(self, name, *along):
        self._names = (name,) + along

    def __enter__(self):
        return __import__(self._names[0], None, None, self._names)

    def __exit__(self, kind, error, trace):
        for name in self._names:
            if name in sys.modules:  # a loan within this one may have ended with it
                del sys.modules[name]
                package, own_name = name.rsplit(".", 1)
                delattr(sys.modules[package], own_name)
