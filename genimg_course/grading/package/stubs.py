"""Take the answers out of a module's source; every other line stays as it is."""

import ast
from collections.abc import Collection, Iterator, Mapping

__all__ = ["stub"]

_IMPORT = "from genimg_course.unavailable import GradedFunctionUnavailable\n"

Place = tuple[int, int]
Edit = tuple[Place, Place, bytes]


def stub(
    source: bytes,
    functions: Collection[str],
    *,
    tables: Collection[str] = (),
    arguments: Collection[str] = (),
) -> bytes:
    """Return a module's source without some of what it holds.

    Args:
        source: the module, in UTF-8.
        functions: names of functions whose bodies go, with those of private functions that only
            they call; signatures and docstrings stay.
        tables: names of tuples and dictionaries that become empty.
        arguments: names of keyword arguments whose values become ``None``, in every call.

    Raises:
        ValueError: if the module has no such function or table.
    """
    tree = ast.parse(source)
    given = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    held = {name: node.value for node in tree.body for name, node in _tables(node)}
    missing = sorted({*functions} - given.keys() | {*tables} - held.keys())
    if missing:
        raise ValueError(f"the module has no {', '.join(missing)}")
    lines = source.splitlines(keepends=True)
    edits = [_without_body(given[name], lines) for name in _with_helpers(tree, given, functions)]
    edits += [
        (*_span(held[name]), b"{}" if isinstance(held[name], ast.Dict) else b"()")
        for name in tables
    ]
    edits += [
        (*_span(node.value), b"None")
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg in arguments
    ]
    if functions:
        line = _first_statement(tree)
        edits.append(((line, 0), (line, 0), _IMPORT.encode()))
    return _edited(lines, edits)


def _tables(node: ast.stmt) -> Iterator[tuple[str, ast.Assign]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node


def _with_helpers(
    tree: ast.Module, given: Mapping[str, ast.FunctionDef], functions: Collection[str]
) -> list[str]:
    """Add private functions that nobody else calls, and those that only these call."""
    gone = {*functions}
    while True:
        others = [node for node in tree.body if getattr(node, "name", None) not in gone]
        inner = {name for node in map(given.get, gone) if node for name in _mentioned(node)}
        outer = {name for node in others for name in _mentioned(node) if name != _own(node)}
        more = {n for n in inner - outer - gone if n in given and n.startswith("_")}
        if not more:
            return sorted(gone)
        gone |= more


def _own(node: ast.stmt) -> str | None:
    return getattr(node, "name", None)


def _mentioned(node: ast.AST) -> set[str]:
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}


def _without_body(node: ast.FunctionDef, lines: list[bytes]) -> Edit:
    """Return the edit that leaves the signature and the docstring of a function."""
    text = f'raise GradedFunctionUnavailable("{node.name}")\n'.encode()
    indent = b" " * node.body[0].col_offset
    after = node.body[1:] if ast.get_docstring(node) is not None else node.body
    first = after[0].lineno if after else (node.end_lineno or 0) + 1
    while lines[first - 2].strip().startswith(b"#") or not lines[first - 2].strip():
        first -= 1  # comments say what comes
    return (first, 0), ((node.end_lineno or 0) + 1, 0), indent + text


def _span(node: ast.expr) -> tuple[Place, Place]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def _first_statement(tree: ast.Module) -> int:
    """Return the line of the first statement that is no docstring and no future import."""
    for node in tree.body:
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not future and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return node.lineno
    raise ValueError("the module has no statement")


def _edited(lines: list[bytes], edits: list[Edit]) -> bytes:
    """Apply edits, each from one place (line, column) up to another, from the last to the first."""
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    content = b"".join(lines)
    for begin, end, text in sorted(edits, reverse=True):
        first, last = (starts[line - 1] + column for line, column in (begin, end))
        content = content[:first] + text + content[last:]
    return content
