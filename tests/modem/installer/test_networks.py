"""Does a scan become one line for each operator?"""

from modem.installer.networks import networks

SCAN = [
    ("23430", "EE", 10, False),
    ("23410", "O2 - UK", 14, False),
    ("23410", "O2 - UK", 15, False),
]


def test_the_best_cell_of_each_operator_counts() -> None:
    assert [(network.plmn, network.csq, network.cells, network.passes) for network in networks(SCAN)] == [
        ("23410", 15, 2, True),
        ("23430", 10, 1, False),
    ]


def test_nobody_heard_is_an_empty_list() -> None:
    assert networks([]) == []


def test_a_list_without_levels_passes_nobody_and_knows_the_forbidden() -> None:
    listed = [("26201", "Telekom.de", None, True), ("26203", "o2", None, False), ("26203", "o2", None, True)]
    assert [(network.plmn, network.csq, network.forbidden, network.passes) for network in networks(listed)] == [
        ("26201", None, True, False),
        ("26203", None, False, False),
    ]
