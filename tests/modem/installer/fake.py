"""A source of readings that the test chooses."""

from modem.installer.readings import Identity, Network, Reading


class FakeSource:
    """Returns `csqs` in turn, then the last one forever; a scan returns `found`."""

    scan_s = (45, 90)
    hears_lte = False
    reference: tuple[int, int] | tuple[()] = ()

    def __init__(self, csqs: list[int], plmn: str | None = "23415", found: list[Network] | None = None) -> None:
        self._csqs = list(csqs)
        self._plmn = plmn
        self._found = found or []
        self.left = False

    def identity(self) -> Identity:
        return Identity("CK-1", "SIMCOM_SIM800L", "867856030000017")

    def reading(self) -> Reading:
        csq = self._csqs.pop(0) if len(self._csqs) > 1 else self._csqs[0]
        return Reading(csq, self._plmn, None, *self.reference)

    def cell(self) -> str | None:
        return "01F4-2A3B"

    def networks(self) -> list[Network]:
        return self._found

    def leave(self) -> None:
        self.left = True


VODAFONE = Network("23415", "vodafone UK", 12, 2)
O2 = Network("23410", "O2 - UK", 19, 1)
EE = Network("23430", "EE", 5, 1)
