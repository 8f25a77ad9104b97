"""Evaluates an ordered list of rules. Pure."""

if False:  # for mypy alone
    from collections.abc import Callable

    from modem.contracts import T


def first_match(rules: "tuple[Callable[..., T | None], ...]", *facts: object) -> "T":
    """Return the first result of `rules`, called with `facts`, that is not None.

    Raises RuntimeError if all return None; the last rule of a list must be unconditional.
    """
    for rule in rules:
        decision = rule(*facts)
        if decision is not None:
            return decision
    raise RuntimeError("no rule decided")
