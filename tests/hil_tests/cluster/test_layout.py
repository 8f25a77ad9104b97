"""Does every process of a cluster on one machine have its own port, and each role two processes?"""

from hil_tests.cluster.layout import layout


def test_every_port_is_used_once_and_they_follow_one_another() -> None:
    ports = [port for port, _ in layout(9000).ports]
    assert sorted(ports) == list(range(9000, 9000 + len(ports)))


def test_each_role_runs_twice_and_pages_come_first() -> None:
    workers = layout(9000).workers
    assert [worker.name for worker in workers] == [
        f"{role}-{number}" for role in ("web", "ingest", "auth", "upkeep") for number in (1, 2)
    ]
    assert [worker.port for worker in workers[:2]] == [9000, 9001]
