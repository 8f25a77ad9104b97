"""Ordered rules: each is a function that returns a decision or None, and the first decision counts. Pure."""


def first_match(rules, *facts):
    """The decision of the first rule that has one for `facts`. The last rule of a list must always decide."""
    for rule in rules:
        decision = rule(*facts)
        if decision is not None:
            return decision
    raise RuntimeError("no rule decided")
