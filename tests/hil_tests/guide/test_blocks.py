"""Is every block of a page found, with the mark above it?"""

from pathlib import Path

from hil_tests.guide.blocks import Target, read, spoken

PAGE = """# One

Words with `make it`.

<!-- run: make stranger -->
```sh
true
```

<!-- not run: it needs a board -->

```sh
false
```

## Two

<!-- file: /etc/x, 640 root:x -->
```toml
a = 1
```

<!-- run: make stranger -->

Words in between.

```
plain
```

- in a list

  <!-- run: tests/x.py -->
  ```sh
  echo
  ```

| `in a table` |
| --- |
"""


def page(folder: Path) -> Path:
    (folder / "page.md").write_text(PAGE)
    return folder / "page.md"


def test_a_mark_counts_for_the_block_below_it_alone(tmp_path: Path) -> None:
    found = list(read(page(tmp_path)))
    assert [(one.line, one.section, one.language) for one in found] == [
        (6, "One", "sh"),
        (12, "One", "sh"),
        (19, "Two", "toml"),
        (27, "Two", ""),
        (34, "Two", "sh"),
    ]
    assert [one.run_by for one in found] == ["make stranger", None, None, None, "tests/x.py"]
    assert [one.not_run for one in found] == [None, "it needs a board", None, None, None]
    assert [one.file for one in found] == [None, None, Target("/etc/x", 0o640, "root:x"), None, None]


def test_code_in_sentences_and_tables_is_found(tmp_path: Path) -> None:
    assert list(spoken(page(tmp_path))) == ["make it", "in a table"]
