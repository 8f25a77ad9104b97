"""Is a large body only accepted by the form that sends a photo, also below a public path?"""

import pytest

from cloud_bridge.web.security.photo_uploads import takes_photo


@pytest.mark.parametrize("path", ["/jobs/1/photos", "/jobs/9223372036854775807/photos", "/chargers/jobs/1/photos"])
def test_photos_are_taken_there(path: str) -> None:
    assert takes_photo("POST", path)
    assert not takes_photo("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/1/photos/",
        "/jobs/1/photos/1/remove",
        "/jobs/x/photos",
        "/jobs//photos",
        "jobs/1/photos",
        "/jobs/1/report",
    ],
)
def test_and_nowhere_else(path: str) -> None:
    assert not takes_photo("POST", path)
