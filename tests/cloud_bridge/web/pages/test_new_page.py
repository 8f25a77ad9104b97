"""Is a page added by the files that .github/CONTRIBUTING.md lists, and no others?"""

from pathlib import Path

from tests.copied_tree import CopiedTree

MODULE = '''"""Tips for the driver."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud_bridge.web.page import PersonOf, page

router = APIRouter(include_in_schema=False)


@router.get("/tips")
def tips(request: Request, person: PersonOf) -> Response:
    return page(request, "driver/tips.html", person, tip="Charge at night")
'''
TEMPLATE = (
    '{% extends "base.html" %}{% block title %}Tips{% endblock %}{% block main %}<h1>{{ tip }}</h1>{% endblock %}'
)
LOOK = """
from pathlib import Path
from cloud_bridge.store.people import Role
from tests.cloud_bridge.people import Visitor
from tests.cloud_bridge.running import running_bridge
with running_bridge(Path("store")) as bridge:
    print(Visitor(bridge, "dora", Role.DRIVER).read("/tips"))
"""


def test_a_new_page_takes_four_files(tmp_path: Path) -> None:
    tree = CopiedTree(tmp_path)
    tree.write("cloud_bridge/web/pages/driver/tips.py", MODULE)
    tree.write("cloud_bridge/web/templates/driver/tips.html", TEMPLATE)
    tree.change(
        "cloud_bridge/web/pages/routers.py",
        {
            "ready_by, vehicle_choice": "ready_by, tips, vehicle_choice",
            "    pwa.router,": "    pwa.router,\n    tips.router,",
        },
    )
    tree.change(
        "cloud_bridge/web/templates/parts/navigation.html",
        {"\n</nav>": '\n{{ entry("/tips", "message", "Tips", path == "/tips") }}\n</nav>'},
    )
    page = tree.run("-c", LOOK)
    assert "Charge at night" in page
    assert "Support Account Tips" in page
    tests = ("tests/test_arrows.py", "tests/cloud_bridge/web/test_theirs_only.py")
    assert "failed" not in tree.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "tips or theirs", *tests)
