"""Is only the family imported that the modem needs?"""

import sys

from modem.families import registry


def test_no_family_is_imported_until_it_is_needed():
    names = ("modem.families.sim800", "modem.families.sim7000")
    before = [(name, sys.modules.pop(name)) for name in names if name in sys.modules]
    try:
        registry.load()
        assert [name in sys.modules for name in names] == [False, False]
        registry.load("sim800")
        assert [name in sys.modules for name in names] == [True, False]
    finally:
        for name, module in before:
            sys.modules[name] = module
            setattr(sys.modules["modem.families"], name.split(".")[-1], module)
