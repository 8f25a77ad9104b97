"""Does the tool give the right result for each recording of `python -m modem trace`?

For a new report, add its file to tests/modem/field_reports, and a test of three lines with the right result.
"""

from modem import signal
from modem.installer.readings import Network
from tests.modem.installer.replayed_port import FIELD_REPORTS, field_report, measured


def test_a7670_weak_fails_with_urcs_within_its_answers() -> None:
    source, port = field_report("a7670-weak.txt")
    verdict, latest = measured(source, port)
    assert (verdict.verdict, verdict.median, verdict.minimum, verdict.maximum) == (signal.FAIL, 13, 11, 16)
    assert (latest.network, latest.rsrp_dbm, latest.rsrq_db) == ("vodafone UK (23415)", -116, -11)
    assert source.cell() == "01F4-2A3B"
    assert source.networks() == [Network("23415", "vodafone UK", None, 1), Network("23410", "O2 - UK", None, 1)]
    assert port.unknown == []


def test_every_kept_report_can_be_replayed_and_has_no_number() -> None:
    files = sorted(FIELD_REPORTS.glob("*.txt"))
    assert files
    for file in files:
        source, _ = field_report(file.name)
        imei = source.identity().imei
        assert imei is None or imei.startswith("00000000"), file
