"""Does a scan become one line for each operator?"""

from modem import replies
from modem.installer.networks import best_cells, listed

SCAN = (
    'Operator:"EE",MCC:234,MNC:30,Rxlev:17,Cellid:1A2B,Arfcn:12\n'
    'Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:26,Cellid:77,Arfcn:40\n'
    'Operator:"O2 - UK",MCC:234,MNC:10,Rxlev:27,Cellid:78,Arfcn:41\n'
)


def test_the_best_cell_of_each_operator_counts() -> None:
    networks = best_cells(replies.cells(SCAN))
    assert [(network.plmn, network.csq, network.cells, network.passes) for network in networks] == [
        ("23410", 15, 2, True),
        ("23430", 10, 1, False),
    ]


def test_nobody_heard_is_an_empty_list() -> None:
    assert best_cells([]) == []


def test_a_list_without_levels_passes_nobody_and_knows_the_forbidden() -> None:
    networks = listed(
        replies.operators('+COPS: (3,"Telekom.de","TDG","26201",0),(1,"o2","o2","26203",7),(1,"o2","o2","26203",0)')
    )
    assert [(network.plmn, network.csq, network.forbidden, network.passes) for network in networks] == [
        ("26201", None, True, False),
        ("26203", None, False, False),
    ]
