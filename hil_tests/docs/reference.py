"""Pages generated from the contracts: the wire format, the HTTP API, and the contract of a board. Pure."""

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path("tests/samples")
OPENAPI = Path("tests/cloud_bridge/openapi.json")
BOARD = Path("firmware/boards/board.py")
WIRE_HEAD = ("key", "meaning", "type", "unit", "bound")


def wire_page(root: Path) -> str:
    """Return the page with each key of each message, and samples of each kind."""
    schema = tomllib.loads((root / SAMPLES / "schema.toml").read_text())
    lines = [
        "# The wire format",
        "",
        "What travels between a charge point and its cloud over MQTT, as JSON, version 1.",
    ]
    lines += [
        "",
        "## Types",
        "",
        *_table(("type", "bound", "meaning"), [(name, *row) for name, row in schema.pop("types").items()]),
    ]
    for kind, rows in schema.items():
        lines += ["", f"## {kind}", "", *_wire_rows(rows)]
        for name, inner in rows.items():
            if isinstance(inner, dict):
                lines += ["", f"### {kind} `{name}`", "", *_wire_rows(inner)]
        samples = sorted((root / SAMPLES).glob(f"{kind}-*.json")) + sorted((root / SAMPLES).glob(f"{kind}.json"))
        if samples:
            lines += ["", f"Samples of {kind}:", "", "```json", *(path.read_text().strip() for path in samples), "```"]
    return "\n".join(lines) + "\n"


def http_page(root: Path) -> str:
    """Return the page with each route, its parameters and its answers."""
    described = json.loads((root / OPENAPI).read_text())
    lines = [
        "# The HTTP interface",
        "",
        "Every route. A running cloud serves the same description at `/docs`, to try it.",
        "",
    ]
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            lines += [f"## {method.upper()} {path}", "", route.get("description", route["summary"]), ""]
            parameters = [
                (f"`{one['name']}`", one["in"], "yes" if one["required"] else "no", one.get("description", ""))
                for one in route.get("parameters", [])
            ]
            if parameters:
                lines += [*_table(("parameter", "in", "required", "meaning"), parameters), ""]
            answers = [(code, answer["description"], _shape(answer)) for code, answer in route["responses"].items()]
            lines += [*_table(("answer", "meaning", "shape"), answers), ""]
    lines += ["## Shapes", ""]
    for name, shape in described["components"]["schemas"].items():
        fields = [
            (f"`{key}`", _type(one), one.get("description", "")) for key, one in shape.get("properties", {}).items()
        ]
        if fields:
            lines += [
                f"### {name}",
                "",
                shape.get("description", ""),
                "",
                *_table(("field", "type", "meaning"), fields),
                "",
            ]
    return "\n".join(lines) + "\n"


def board_page(root: Path) -> str:
    """Return the page with the docstrings of board.py, in its order."""
    tree = ast.parse((root / BOARD).read_text())
    lines = ["# The contract of a board", "", ast.get_docstring(tree) or ""]
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            lines += ["", f"## {node.name}", "", ast.get_docstring(node) or "", *_methods(node)]
    return "\n".join(lines) + "\n"


def _methods(node: ast.ClassDef) -> Iterator[str]:
    for one in node.body:
        if isinstance(one, ast.FunctionDef):
            returns = f" -> {ast.unparse(one.returns)}" if one.returns else ""
            yield from ("", f"### `{one.name}({ast.unparse(one.args)}){returns}`", "", ast.get_docstring(one) or "")


def _wire_rows(rows: dict[str, Any]) -> list[str]:
    told = [
        (f"`{key}`", row[5], row[0], row[1], row[2].replace("|", " | "))
        for key, row in rows.items()
        if isinstance(row, list)
    ]
    return _table(WIRE_HEAD, told) if told else []


def _shape(answer: dict[str, Any]) -> str:
    return ", ".join(
        _type(content["schema"]) for content in answer.get("content", {}).values() if content.get("schema")
    )


def _type(schema: dict[str, Any]) -> str:
    """Return a type in words, such as `text or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    return str(schema.get("format") or schema.get("type") or "anything")


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    def line(cells: tuple[Any, ...]) -> str:
        return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"

    return [line(head), line(("---",) * len(head)), *map(line, rows)]
