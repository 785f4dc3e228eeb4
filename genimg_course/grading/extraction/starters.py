"""Tell untouched starters, and forms that cannot be graded, from answers."""

from __future__ import annotations

import ast

from genimg_course.grading.extraction.definitions import Definition
from genimg_course.grading.intake.magics import parse

__all__ = ["problem_of"]


def problem_of(found: Definition, function: str) -> tuple[str, str, str] | None:
    """Return status, diagnosis and message if a definition cannot be an answer, else None.

    Args:
        found: what the notebook defines.
        function: the name that the exercise asks for.
    """
    if found.node in ("Import", "ImportFrom"):
        return (
            "error",
            "unavailable",
            f"{function} is imported, not written: write it yourself",
        )
    node = parse(found.text).body[0]
    if isinstance(node, ast.FunctionDef):
        return _of_body(node.body, function)
    if isinstance(node, ast.AsyncFunctionDef):
        return "error", "async", f"{function} is async: define it with def"
    if isinstance(node, ast.ClassDef):
        return "error", "class", f"{function} is a class: define it as a function, with def"
    if isinstance(node, ast.Assign | ast.AnnAssign):
        if isinstance(node.value, ast.Constant):
            return _empty(function)
        return None
    return (
        "error",
        "nested",
        f"{function} is defined inside another statement: move it to the left margin",
    )


def _of_body(body: list[ast.stmt], function: str) -> tuple[str, str, str] | None:
    written = [node for node in body if not _is_nothing(node)]
    if not written:
        return _empty(function)
    if _is_starter(written[0]):
        if len(written) == 1:
            return _empty(function)
        return (
            "not_attempted",
            "starter",
            f"in {function} the line 'raise NotImplementedError' still stands above your code: "
            "delete it",
        )
    return None


def _empty(function: str) -> tuple[str, str, str]:
    return "not_attempted", "starter", f"{function} was left as it was given out"


def _is_nothing(node: ast.stmt) -> bool:
    """Tell whether a statement is ``pass``, an ellipsis or a docstring."""
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _is_starter(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Raise):
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
