"""`micropython run.py MODULE ...`: run every test function of these modules, as pytest does; exit with 1 if one fails."""

import sys


def tests_of(module):
    for name in sorted(dir(module)):
        test = getattr(module, name)
        if name.startswith("test_") and callable(test):
            yield name, test


def main(names):
    passed = failed = 0
    for module_name in names:
        module = __import__(module_name, None, None, ("*",))
        for name, test in tests_of(module):
            try:
                test()
                passed += 1
            except Exception as error:
                failed += 1
                print("FAILED %s.%s" % (module_name, name))
                sys.print_exception(error)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1:]))
