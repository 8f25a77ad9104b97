"""Events of a unit and its networks, for tests of the network history and of roaming."""

from modem import network_history

VODAFONE, O2, EE, ABROAD = "23415", "23410", "23430", "27201"
MINUTE_S = 60


def sample(known, csqs, now_s=0, plmn=VODAFONE):
    """Take a sample every minute; return the time of the last one."""
    for csq in csqs:
        now_s += MINUTE_S
        known.sampled(now_s, plmn, csq)
    return now_s


def fail_the_proof(known, plmn=VODAFONE, now_s=1000, cause="timed out"):
    """Let the proof fail twice over a long enough time; return the time of the second failure."""
    known.failed(now_s, plmn, cause)
    known.failed(now_s + network_history.PROOF_S, plmn, cause)
    return now_s + network_history.PROOF_S
