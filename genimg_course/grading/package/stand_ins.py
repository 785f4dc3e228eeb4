"""Modules of a copy that stand in the place of the course's own."""

from genimg_course.exercises.registry import specifications

__all__ = ["stand_ins"]

_UNAVAILABLE = '''"""What stands in the place of a function that is asked for in an exercise."""

__all__ = ["GradedFunctionUnavailable"]


class GradedFunctionUnavailable(RuntimeError):
    """A function of the package was called that the reader is asked to write."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{{name}} is what you are asked to write yourself: {place} does not have it."
        )
'''
_PROOFS = '''"""The proofs of the course are not part of this copy."""

__all__ = ["proof"]


def proof(id: str) -> None:
    """Do nothing."""
'''
_EXERCISES_OF_BOX = '''"""The exercises are not part of this copy: an answer stays what it is."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["exercise", "hint", "progress"]

F = TypeVar("F", bound=Callable[..., Any])


def exercise(id: str) -> Callable[[F], F]:
    """Return a decorator that returns its function."""
    return lambda function: function


def hint(id: str) -> None:
    """Do nothing."""


def progress(lesson: str | int | None = None) -> None:
    """Do nothing."""
'''
_EXERCISES = '''"""Exercises without references: answers are judged when they are handed in."""

from collections.abc import Callable
from typing import Any, TypeVar

from genimg_course.exercises.display import Message, show
from genimg_course.exercises.hints import HINTS

__all__ = ["exercise", "hint", "progress"]

F = TypeVar("F", bound=Callable[..., Any])
_STEPS: dict[str, int] = {}
_WRITTEN: list[str] = []


def exercise(id: str) -> Callable[[F], F]:
    """Keep the decorated function as it is.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Raises:
        ValueError: if there is no such exercise.
    """
    _known(id)

    def decorate(function: F) -> F:
        if id not in _WRITTEN:
            _WRITTEN.append(id)
        text = "Your own function is used from here on. It is judged when you hand it in."
        show(Message("hint", id, [text]))
        return function

    return decorate


def hint(id: str) -> None:
    """Show the next hint.

    Args:
        id: the exercise, ``"vae.gaussian_kl"``.

    Raises:
        ValueError: if there is no such exercise.
    """
    hints = _known(id)
    step = _STEPS[id] = min(_STEPS.get(id, 0) + 1, len(hints))
    show(Message("hint", f"{id}: Hint {step} of {len(hints)}", [hints[step - 1]]))


def progress(lesson: str | int | None = None) -> None:
    """Show which exercises were defined in this session."""
    text = ", ".join(_WRITTEN) or "No exercise was defined in this session yet."
    show(Message("hint", "Exercises", [text]))


def _known(id: str) -> tuple[str, ...]:
    if id not in HINTS:
        raise ValueError(f"There is no exercise {id!r}. There are: {', '.join(HINTS)}.")
    return HINTS[id]
'''
_GRADING_OF_BOX = '''"""What runs answers inside a sandbox."""

__all__ = []
'''


def stand_ins(*, box: bool) -> dict[str, str]:
    """Return the sources of these modules, by their names below the package.

    Args:
        box: of the copy for sandboxes; otherwise of the one for students.
    """
    place = "the grader's copy of genimg_course" if box else "this copy of genimg_course"
    modules = {
        "unavailable.py": _UNAVAILABLE.format(place=place),
        "maths/proofs/__init__.py": _PROOFS,
        "exercises/__init__.py": _EXERCISES_OF_BOX if box else _EXERCISES,
    }
    if box:
        return modules | {"grading/__init__.py": _GRADING_OF_BOX}
    return modules | {"exercises/hints.py": _hints()}


def _hints() -> str:
    """Return a module with the texts of all hints; the last step, the solution, is not there."""
    texts = {id: tuple(item.hints) for id, item in sorted(specifications().items())}
    lines = [f"    {id!r}: {hints!r},\n" for id, hints in texts.items()]
    return (
        '"""The hints of every exercise, by id."""\n\n__all__ = ["HINTS"]\n\n'
        "HINTS: dict[str, tuple[str, ...]] = {\n" + "".join(lines) + "}\n"
    )
