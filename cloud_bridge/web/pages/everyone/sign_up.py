"""Sign-up. Who may sign up is the operator's setting (CHARGEKEEPER_SIGN_UP): everybody, or people with an invitation or the
label of a charge point.

With a mail server, the person gives an address, and a letter is sent to whoever has this address. Its link, like that of an
invitation, leads to the page where the account is created (new_account.py).
"""

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.alerts import account_letters
from cloud_bridge.alerts.letters import Letter
from cloud_bridge.app_state import AppState
from cloud_bridge.errors import BridgeError
from cloud_bridge.settings import SignUp
from cloud_bridge.store.email import checked_email, person_with_email
from cloud_bridge.store.invitations import answer_stranger, link_of
from cloud_bridge.store.people import person_by_id
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.form_errors import FORM
from cloud_bridge.web.page import Field, page, to
from cloud_bridge.web.pages.everyone.claim import code_in_browser, label_of
from cloud_bridge.web.pages.everyone.stranger import StrangerForm, stranger_page
from cloud_bridge.web.security.access import StateDep, person_of
from cloud_bridge.web.security.rates import (
    ASKED_LETTERS,
    TO_ONE,
    TO_STRANGERS,
    WITH_ONE_LABEL,
    is_within,
    use_of_network,
)
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _
from cloud_bridge.words.language import choose_language

NOT_OPEN = (N_("You cannot sign up here"), N_("Ask whoever runs this service for an invitation."), 403)
NO_LABEL = (
    N_("That code did not work"),
    N_("No charger that nobody has claimed has this code. Check it against the label, or ask its owner."),
)
LABEL_USED = (N_("Too many tries"), N_("Too many accounts were begun with this label. Try again tomorrow."), 429, FORM)
LATER = (N_("The e-mail could not be sent"), N_("No account was made. Please try again later."), 503, FORM)

router = APIRouter(prefix="/sign-up", include_in_schema=False)


def may_sign_up(setting: SignUp, is_invited: bool, has_label: bool) -> bool:
    if setting is SignUp.CLOSED:
        return False
    return setting is SignUp.OPEN or is_invited or has_label


@router.get("")
def sign_up(request: Request, app_state: StateDep) -> Response:
    """Show the form to those who may sign up, and instructions to others."""
    if person_of(request) is not None:
        return to("/")
    setting, code = app_state.settings.sign_up, code_in_browser(request)
    if not may_sign_up(setting, is_invited=False, has_label=bool(code)):
        return page(request, "everyone/sign_up_how.html", None, is_closed=setting is SignUp.CLOSED)
    if app_state.settings.mail is None:
        return to("/sign-up/begin")
    return stranger_page(request, "everyone/sign_up.html", code=code)


@router.post("", dependencies=[StrangerForm])
def ask_for_letter(request: Request, app_state: StateDep, address: Field) -> Response:
    """Send the letter. The response is the same whether or not an account has this address; that is only looked up by the
    thread that writes the letter."""
    if app_state.settings.mail is None:
        raise Refused(*LATER)
    claim_hash = proof_of_stranger(request, app_state)
    try:
        address = checked_email(address)
    except BridgeError:
        meaning = _("This is no e-mail address. Check it, and try again.")
        raise Refused(_("The e-mail was not sent"), meaning, field="address") from None
    use_of_network(request, ASKED_LETTERS, _("Too many e-mails"), _("Look for the one that we sent."), FORM)
    use_label(request, claim_hash)
    if is_within(request, address.lower(), TO_ONE):
        write = partial(_letter, app_state, address, claim_hash)
        if not is_within(request, "", TO_STRANGERS) or not app_state.letters.post(write):
            raise Refused(*LATER)
    return page(request, "everyone/sign_up_sent.html", None, address=address)


def _letter(app_state: AppState, address: str, claim_hash: str | None) -> Letter | None:
    """Write the letter. Runs in a thread of alerts/letters.py."""
    public_address = app_state.settings.public_address
    with app_state.database.writing() as connection:
        person_id = person_with_email(connection, address)
        if person_id is not None:
            person = person_by_id(connection, person_id)
            choose_language(person.language)
            return Letter(address, account_letters.has_account(person.name, public_address))
        code = answer_stranger(connection, address, claim_hash, app_state.verified.now_ms())
    return None if code is None else Letter(address, account_letters.sign_up(link_of(public_address, code)))


def proof_of_stranger(request: Request, app_state: AppState) -> str | None:
    """Return the hash of the label's code if the person has a valid one. Raises Refused for those who may not sign up."""
    claim_hash = label_of(request, app_state)
    if not may_sign_up(app_state.settings.sign_up, is_invited=False, has_label=claim_hash is not None):
        is_label_wrong = code_in_browser(request) and app_state.settings.sign_up is not SignUp.CLOSED
        raise Refused(*(NO_LABEL if is_label_wrong else NOT_OPEN))
    return claim_hash


def use_label(request: Request, claim_hash: str | None) -> None:
    """Count a sign-up with this label, so that one label does not allow any number of accounts. Raises Refused."""
    if claim_hash is not None and not is_within(request, claim_hash, WITH_ONE_LABEL):
        raise Refused(*LABEL_USED)
