"""Extracts the messages of the code and the templates into a catalogue (.pot), and updates the languages (.po) with it.

The files contain no dates and no line numbers, so they change only when messages do.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from cloud_bridge.words.catalogues import DOMAIN, ENGLISH, FOLDER, LANGUAGES, catalogue_file

TEMPLATE = FOLDER / "catalogue.pot"
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
WIDTH = 120
DATED = (
    b'"POT-Creation-Date',
    b'"PO-Revision-Date',
    b'"Last-Translator',
    b'"Language-Team',
    b'"Report-Msgid',
    b'"Generated-By',
)
HEADER = "# What Chargekeeper says. `make catalogue` writes this file."


def extracted() -> Catalog:
    """Return the messages of the code, in the order of its files."""
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = Catalog(project="Chargekeeper", charset="utf-8", header_comment=HEADER, version="", fuzzy=False)
    room = FOLDER.parent
    for name, _line, message, comments, context in extract_from_dir(
        room, methods, options, KEYWORDS, comment_tags=("Words:",), strip_comment_tags=True, directory_filter=_is_ours
    ):
        found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def _is_ours(folder: str) -> bool:
    return Path(folder).name not in ("node_modules", "migrations", "__pycache__")


def notes(
    file: IO[bytes], _keywords: object, _tags: Collection[str], options: Mapping[str, object]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the notes in a file of tariffs. An extraction method for Babel."""
    for entry in tomllib.load(file)["tariff"]:
        if "note" in entry:
            yield 0, "_", entry["note"], []


def update_files() -> list[str]:
    """Write the files. Returns a line for each language with the number of messages that lack a translation."""
    template = extracted()
    _write(TEMPLATE, template)
    lines = []
    for language in LANGUAGES:
        if language != ENGLISH:
            catalogue = brought_up_to_date(language, template)
            _write(catalogue_file(language), catalogue)
            lines.append(f"{language}: {len(catalogue)} messages, {len(untranslated(catalogue))} without a translation")
    return lines


def brought_up_to_date(language: str, template: Catalog) -> Catalog:
    """Return the language's catalogue with the present messages: new ones without a translation, and without removed ones."""
    with catalogue_file(language).open("rb") as file:
        catalogue = read_po(file, language, DOMAIN)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the messages whose translation is missing, incomplete or fuzzy."""
    found = []
    for message in catalogue:
        forms = message.string if message.pluralizable else [message.string]
        if message.id and (message.fuzzy or not forms or not all(forms)):
            found.append(str(message.id))
    return found


def _write(path: Path, catalogue: Catalog) -> None:
    path.write_bytes(written(catalogue))


def written(catalogue: Catalog) -> bytes:
    """Return the content of the catalogue's file."""
    file = BytesIO()
    write_po(file, catalogue, width=WIDTH, include_lineno=False)
    return b"".join(line for line in file.getvalue().splitlines(keepends=True) if not line.startswith(DATED))
