"""The parts of pytest that the core tests use, for MicroPython: `raises` and `mark.parametrize`."""


class raises:  # noqa: N801  (the name that pytest has)
    def __init__(self, expected, match=None):
        self.expected = expected
        self.match = match
        self.value = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            raise AssertionError("%s was not raised" % self.expected)
        if not isinstance(error, self.expected):
            return False
        self.value = error
        if self.match and self.match not in str(error):
            raise AssertionError("%r is not in %r" % (self.match, str(error)))
        return True


class Cases:
    """A test with its cases. Called without arguments, it runs all of them."""

    def __init__(self, test, cases):
        self.test = test
        self.cases = cases

    def __call__(self):
        for case in self.cases:
            try:
                self.test(*case)
            except Exception:
                print("  case", case)
                raise


class mark:  # noqa: N801  (the name that pytest has)
    @staticmethod
    def parametrize(names, values, ids=None):
        several = not isinstance(names, str) or "," in names
        return lambda test: Cases(test, [tuple(value) if several else (value,) for value in values])
