"""Does a tariff's form accept what people type, and say what to do about the rest?"""

import pytest

from cloud_bridge.store.sites import Tariff
from cloud_bridge.web.errors import Refused
from cloud_bridge.web.presentation.tariff_form import TariffForm, filled, read


@pytest.mark.parametrize(
    ("form", "tariff"),
    [
        (TariffForm("24.5"), Tariff(2450)),
        (TariffForm(" 28,05 ", "7", "23:30", "05:30"), Tariff(2805, 700, 1410, 330)),
        (TariffForm("0", "0"), Tariff(0, 0, 0, 300)),
        (TariffForm(), None),
    ],
)
def test_what_is_typed(form: TariffForm, tariff: Tariff | None) -> None:
    assert read(form) == tariff


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (TariffForm("abc"), "rate"),
        (TariffForm("-1"), "rate"),
        (TariffForm("1000"), "rate"),
        (TariffForm("٢٤"), "rate"),  # the store and the bill have other digits
        (TariffForm("24", "7.555"), "off_peak_rate"),
        (TariffForm("", "7"), "rate"),
        (TariffForm("24", "7", "01:00", "01:00"), "off_peak_to"),
        (TariffForm("24", "7", "25:00"), "off_peak_from"),
        (TariffForm("24", "7", "23:30", ""), "off_peak_to"),
    ],
)
def test_an_error_stands_at_its_field(form: TariffForm, field: str) -> None:
    with pytest.raises(Refused) as refused:
        read(form)
    assert [*refused.value.problems] == [field] and refused.value.meaning.startswith("Enter ")


def test_a_stored_tariff_fills_the_form() -> None:
    assert filled(Tariff(2805, 850, 1410, 330)) == TariffForm("28.05", "8.5", "23:30", "05:30")
    assert filled(Tariff(2450)) == TariffForm("24.5")
    assert filled(None) == TariffForm()
