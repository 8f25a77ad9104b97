"""Rules in their order: each is a function that says something or None, and the first that says something decides."""


def first(rules, *facts):
    """What the first rule says that has something to say of `facts`."""
    for rule in rules:
        said = rule(*facts)
        if said is not None:
            return said
    raise RuntimeError("no rule decided")  # the last of each list always does
