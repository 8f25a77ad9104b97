"""What our letters about accounts say. None repeats what a stranger typed, so nobody can have us send words of theirs."""

NOT_YOU = "If it was not you, do nothing: without this link nothing happens."


def sign_up(link: str) -> str:
    return f"""Somebody, probably you, wants to sign up for Chargekeeper with this address.

To begin, open this page within a day: {link}

{NOT_YOU}"""


def has_account(name: str, address: str) -> str:
    """To somebody who signs up again. `address` is ours."""
    return f"""Somebody, probably you, wants to sign up for Chargekeeper with this address. You have an account already.

Your name there is {name}. Log in: {address}/login

If you have forgotten your password, set a new one: {address}/login/forgotten

If it was not you, do nothing: nothing was changed."""


def invitation(role: str, link: str) -> str:
    return f"""You are invited to Chargekeeper ({role}).

To make your account, open this page within 7 days: {link}

If you do not know why you were invited, do nothing."""


def forgotten_password(name: str, link: str) -> str:
    return f"""Somebody, probably you, has forgotten the password of your Chargekeeper account. Your name there is {name}.

To set a new password, open this page within an hour: {link}

{NOT_YOU} Your password stays as it is."""


def password_changed(name: str, address: str) -> str:
    return f"""The password of your Chargekeeper account {name} was set with a letter to this address.
You are logged out everywhere.

If it was not you, somebody else reads your mail. Secure your mailbox, then set a new password:
{address}/login/forgotten"""


def email_changed(name: str) -> str:
    """To the address of before."""
    return f"""Your Chargekeeper account {name} has a new e-mail address. From now on we write there.

If it was not you, ask for help at once: somebody else is logged in to your account."""
