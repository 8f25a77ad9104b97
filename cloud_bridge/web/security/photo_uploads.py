"""The route for photo uploads. Its body may be larger and slower than others, and the route reads it itself."""

from cloud_bridge.support.photo import MAX_UPLOAD_BYTES

MAX_FORM_BYTES = MAX_UPLOAD_BYTES + 4096  # the photo with the multipart form around it


def takes_photo(method: str, path: str) -> bool:
    """Return True if the request is a photo upload. `path` may have the path of the public address in front of
    /jobs/N/photos."""
    parts = path.rsplit("/", 3)
    return method == "POST" and len(parts) == 4 and (parts[1], parts[3]) == ("jobs", "photos") and parts[2].isdigit()
