"""Where a photo is uploaded: there the body may be longer and take longer than elsewhere, and the route reads it itself."""

import re

from cloud_bridge.support.photo import MAX_UPLOAD_BYTES

MAX_FORM_BYTES = MAX_UPLOAD_BYTES + 4096  # with what is around the photo
_PATH = re.compile(r"(/.*)?/jobs/[0-9]{1,19}/photos")  # with that of the public address before it, where it has one


def takes_photo(method: str, path: str) -> bool:
    return method == "POST" and _PATH.fullmatch(path) is not None
