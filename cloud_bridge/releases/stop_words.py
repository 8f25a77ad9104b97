"""Why a roll-out was stopped, in the reader's language. The store has the reason in English (verdict.py), or who stopped it.
Pure."""

import re
from typing import NamedTuple

from cloud_bridge.releases.verdict import IN_WORDS, Sign
from cloud_bridge.words import N_
from cloud_bridge.words import gettext as _


class Said(NamedTuple):
    """The texts for one sign."""

    alone: str
    beside_rest: str
    by_own: str


SAID = {
    Sign.WATCHDOG: Said(
        N_("{bad} of {units} updated units were reset by their watchdog"),
        N_("{bad} of {units} updated units were reset by their watchdog, of the rest {rest_bad} of {rest_units}"),
        N_("{since} updated units were reset by their watchdog that were not before, against {before}"),
    ),
    Sign.SILENT: Said(
        N_("{bad} of {units} updated units fell silent"),
        N_("{bad} of {units} updated units fell silent, of the rest {rest_bad} of {rest_units}"),
        N_("{since} updated units fell silent that were not before, against {before}"),
    ),
    Sign.RECORDS_LOST: Said(
        N_("{bad} of {units} updated units have lost records"),
        N_("{bad} of {units} updated units have lost records, of the rest {rest_bad} of {rest_units}"),
        N_("{since} updated units have lost records that were not before, against {before}"),
    ),
    Sign.WENT_BACK: Said(
        N_("{bad} of {units} updated units went back to their former version"),
        N_("{bad} of {units} updated units went back to their former version, of the rest {rest_bad} of {rest_units}"),
        N_("{since} updated units went back to their former version that were not before, against {before}"),
    ),
}
SIGN_NAMES = {
    Sign.WATCHDOG: N_("Watchdog"),
    Sign.SILENT: N_("Silent"),
    Sign.RECORDS_LOST: N_("Records lost"),
    Sign.WENT_BACK: N_("Went back"),
}
BY_PERSON = N_("{name} has stopped it")

_SIGNS = {words: sign for sign, words in IN_WORDS.items()}
_SIGN = "|".join(map(re.escape, _SIGNS))
_COUNTED = re.compile(
    rf"(?P<bad>\d{{1,9}}) of (?P<units>\d{{1,9}}) updated units (?P<sign>{_SIGN})"
    r"(?:, of the rest (?P<rest_bad>\d{1,9}) of (?P<rest_units>\d{1,9}))?"
)
_OWN = re.compile(
    rf"(?P<since>\d{{1,9}}) updated units (?P<sign>{_SIGN}) that were not before, against (?P<before>\d{{1,9}})"
)
_BY_PERSON = " has stopped it"  # after the person's name


def stop_words(why: str) -> str:
    """Translate the stored reason. A text of another form is returned as it is."""
    if (found := _COUNTED.fullmatch(why)) is not None:
        said = SAID[_SIGNS[found["sign"]]]
        return _(said.alone if found["rest_bad"] is None else said.beside_rest).format(**found.groupdict())
    if (found := _OWN.fullmatch(why)) is not None:
        return _(SAID[_SIGNS[found["sign"]]].by_own).format(**found.groupdict())
    name = why.removesuffix(_BY_PERSON)
    return why if name in ("", why) else _(BY_PERSON).format(name=name)
