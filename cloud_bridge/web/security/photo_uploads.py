"""Where a photo is uploaded: there the body may be longer and take longer than elsewhere, and the route reads it itself."""

from cloud_bridge.support.photo import MAX_UPLOAD_BYTES

MAX_FORM_BYTES = MAX_UPLOAD_BYTES + 4096  # with what is around the photo


def takes_photo(method: str, path: str) -> bool:
    """`path` has that of the public address before /jobs/N/photos, where it has one."""
    parts = path.rsplit("/", 3)
    return method == "POST" and len(parts) == 4 and (parts[1], parts[3]) == ("jobs", "photos") and parts[2].isdigit()
