"""The texts of letters about accounts, in the current language. None repeats text typed by an unauthenticated client, so
nobody can make the service send their words."""

from cloud_bridge.store.access import ROLE_NAMES, Role
from cloud_bridge.words import gettext as _


def sign_up(link: str) -> str:
    return _(
        "Somebody, probably you, wants to sign up for Chargekeeper with this address.\n"
        "\n"
        "To begin, open this page within a day: {link}\n"
        "\n"
        "If it was not you, do nothing: without this link nothing happens."
    ).format(link=link)


def has_account(name: str, address: str) -> str:
    """To somebody who signs up again with the same address. `address` is our public address."""
    return _(
        "Somebody, probably you, wants to sign up for Chargekeeper with this address. You have an account already.\n"
        "\n"
        "Your name there is {name}. Log in: {login}\n"
        "\n"
        "If you have forgotten your password, set a new one: {forgotten}\n"
        "\n"
        "If it was not you, do nothing: nothing was changed."
    ).format(name=name, login=f"{address}/login", forgotten=f"{address}/login/forgotten")


def invitation(role: Role, link: str) -> str:
    return _(
        "You are invited to Chargekeeper ({role}).\n"
        "\n"
        "To make your account, open this page within 7 days: {link}\n"
        "\n"
        "If you do not know why you were invited, do nothing."
    ).format(role=_(ROLE_NAMES[role]), link=link)


def forgotten_password(name: str, link: str) -> str:
    return _(
        "Somebody, probably you, has forgotten the password of your Chargekeeper account. Your name there is {name}.\n"
        "\n"
        "To set a new password, open this page within an hour: {link}\n"
        "\n"
        "If it was not you, do nothing: without this link nothing happens. Your password stays as it is."
    ).format(name=name, link=link)


def password_changed(name: str, address: str) -> str:
    return _(
        "The password of your Chargekeeper account {name} was set with an e-mail to this address.\n"
        "You are logged out everywhere.\n"
        "\n"
        "If it was not you, somebody else reads your e-mail. Secure your mailbox, then set a new password:\n"
        "{forgotten}"
    ).format(name=name, forgotten=f"{address}/login/forgotten")


def email_changed(name: str) -> str:
    """To the previous address."""
    return _(
        "Your Chargekeeper account {name} has a new e-mail address. From now on we write there.\n"
        "\n"
        "If it was not you, ask for help at once: somebody else is logged in to your account."
    ).format(name=name)
