"""Is a manifest parsed and judged for this unit, and anything else refused?"""

import json

import pytest

from firmware.errors import UpdateRefused
from firmware.update import manifest
from tests.firmware.update import golden

LINE, REST = golden.MANIFEST.split(b"\n", 1)
SAID = json.loads(LINE)


def read(rest=REST, **changed):
    content = json.dumps(dict(SAID, **changed)).encode() + b"\n" + rest
    return manifest.read(manifest.split(content).line)


def refusal(content):
    with pytest.raises(UpdateRefused) as refused:
        manifest.read(manifest.split(content).line)
    return str(refused.value)


def test_what_it_says():
    signed = manifest.split(golden.MANIFEST)
    said = manifest.read(signed.line)
    assert (said.version, said.least, said.boards) == ((100, 4, 0), (0, 0, 0), ("tcall", "virtual"))
    assert said.size == len(golden.IMAGE) and len(said.pieces) == (len(golden.IMAGE) + 1023) // 1024 * 16
    assert (signed.line, signed.key, len(signed.signature)) == (LINE, 0, 64)


WRONG = {
    "version": ("", "1", "1.2", "1.2.3.4", "1.2.x", "1..3", "-1.2.3", "1.2.99999", 1.2, None, ["1.2.3"], "\u0661.2.3"),
    "least": ("", None, 0, "v1.0.0"),
    "boards": (None, [], "tcall", [1], [""], ["x" * 41], ["x"] * 17, {"tcall": 1}),
    "size": (None, 0, -1, 1.5, True, "1", 262145, 1 << 70, SAID["size"] + 1024, SAID["size"] - 1024),
    "unpacked": (None, 0, -1, True, "1", 1 << 21),
    "sha256": (None, "", "00", "g" * 64, 1, "0" * 65),
    "unpacked_sha256": (None, "", "00", "g" * 64, 1),
    "pieces": (None, "", "AAAA", 1, SAID["pieces"][:-24]),
}


@pytest.mark.parametrize("name, value", [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_value_is_refused(name, value):
    with pytest.raises(UpdateRefused, match="manifest"):
        read(**{name: value})


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_missing_key_is_refused(name):
    said = dict(SAID)
    del said[name]
    assert refusal(json.dumps(said).encode() + b"\n" + REST) == "manifest"


@pytest.mark.parametrize(
    "rest",
    [b"", b"0", b"0 ", b"2 " + REST[2:], b"00 " + REST[2:], REST[2:], REST[:-5], b"\xff " + REST[2:], REST + REST],
)
def test_a_wrong_second_line_is_refused(rest):
    with pytest.raises(UpdateRefused, match="manifest"):
        read(rest)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"[]\n" + REST, b"1\n" + REST, b"null\n" + REST, b"{\n", b"[" * 100, b"\xff\n" + REST]
)
def test_what_is_no_manifest_is_refused(content):
    assert refusal(content) == "manifest"


def test_a_longer_one_is_refused():
    assert refusal(golden.MANIFEST + b" " * manifest.MANIFEST_MAX) == "manifest"


def test_cut_anywhere_it_is_refused():
    for end in range(0, len(golden.MANIFEST) - 2, 3):
        assert refusal(golden.MANIFEST[:end]) == "manifest", end


def judged(version, board="tcall", **changed):
    try:
        manifest.judge(read(**changed), version, board)
        return None
    except UpdateRefused as refused:
        return str(refused)


@pytest.mark.parametrize(
    "version, least, why",
    [
        ("0.1.0", "0.0.0", None),
        ("100.3.9", "0.0.0", None),
        ("100.4.0", "0.0.0", "version"),
        ("100.4.1", "0.0.0", "version"),
        ("100.10.0", "0.0.0", "version"),
        ("0.1.0", "0.1.0", None),
        ("0.1.0", "0.1.1", "version"),
    ],
)
def test_it_is_for_a_unit_that_runs_an_older_version_but_not_too_old_a_one(version, least, why):
    assert judged(version, least=least) == why


def test_it_is_for_the_boards_that_it_names():
    assert judged("0.1.0", "virtual") is None
    assert judged("0.1.0", "virtual_unguarded") == "board"
