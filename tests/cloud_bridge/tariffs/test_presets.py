"""Is every tariff preset complete, dated, and accepted by the charger and the store?"""

from datetime import date

import pytest

from cloud_bridge.charging_hours import ALL_WEEK, stored
from cloud_bridge.store.sites import MAX_RATE
from cloud_bridge.tariffs.presets import Preset, presets
from cloud_bridge.web.pages.driver.presets import hours_of
from cloud_bridge.web.presentation.hours import in_words
from cloud_bridge.web.presentation.tariff_form import filled, read

EVERY = pytest.mark.parametrize("preset", presets().values(), ids=lambda preset: preset.id)


@EVERY
def test_a_tariff_has_source_and_date(preset: Preset) -> None:
    assert preset.source.startswith(("https://", "http://")) and preset.supplier and preset.name
    assert preset.as_of >= date(2025, 1, 1), "read it again: it is too old to be offered"


@EVERY
def test_its_hours_are_as_long_as_its_off_peak_rate_holds(preset: Preset) -> None:
    tariff = preset.tariff
    allowed = stored(hours_of(tariff))
    assert allowed is not None
    minutes = (tariff.off_peak_to - tariff.off_peak_from) % 1440
    assert allowed.bit_count() == (allowed.bit_length() if tariff.off_peak_rate is None else 7 * minutes)
    assert tariff.off_peak_rate is not None or allowed == ALL_WEEK


@EVERY
def test_its_rates_are_a_tariff_s_and_its_form_gives_them_back(preset: Preset) -> None:
    tariff = preset.tariff
    assert 0 < (tariff.off_peak_rate or 1) < tariff.rate <= MAX_RATE
    assert read(filled(tariff)) == tariff


def test_the_well_known_one() -> None:
    assert in_words(hours_of(presets()["intelligent-octopus-go"].tariff)) == "Every day, 23:30 to 05:30"
