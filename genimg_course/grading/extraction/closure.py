"""Which other definitions of its notebook an answer needs.

A definition is taken only if the answer names what it binds, directly or by way of something else
that it names. An assignment may call something then; cells that load data or train, whose results
no answer names, are left where they are.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from genimg_course.grading.extraction.definitions import Definition

__all__ = ["closure"]

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_MOST_TAKEN = 400
_END = (1 << 30, 0, 0)  # below every cell


def closure(
    answer: Definition,
    own: Iterable[Definition],
    course: Iterable[Definition] = (),
    *,
    course_place: tuple[int, int, int] = _END,
) -> tuple[list[Definition], frozenset[str]]:
    """Return what an answer needs, in an order that runs, and the names that nobody defines.

    Of several definitions the last one above the answer counts, or, where there is none, the last
    one below: the one that the check in the notebook saw. The course's own notebook is asked for
    names that the student's does not define.

    Args:
        answer: the definition that is graded.
        own: all definitions of the student's notebook.
        course: those of the course's notebook that may be lent.
        course_place: of the exercise in the course's notebook.

    Raises:
        SyntaxError: if it would take hundreds of definitions along.
    """
    own_shelf = _Shelf(own, answer.place, answer)
    course_shelf = _Shelf(course, course_place, None)
    taken: dict[tuple[int, tuple[int, int, int]], Definition] = {}
    waiting, asked, missing = [*answer.needs], set(answer.names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in asked:
            continue
        asked.add(name)
        found = own_shelf.find(name)
        lent = [] if found else course_shelf.find(name)
        if not found and not lent and name not in _BUILTINS:
            missing.add(name)
        taken |= {(1, item.place): item for item in found}
        taken |= {(0, item.place): item for item in lent}  # the course's come first
        waiting += [name for item in (*found, *lent) for name in item.needs]
        if len(taken) > _MOST_TAKEN:
            raise SyntaxError("the answer needs hundreds of other definitions")
    return own_shelf.future + _in_order([taken[key] for key in sorted(taken)]), frozenset(missing)


class _Shelf:
    """Definitions by name, as seen from one place in their notebook."""

    def __init__(
        self,
        items: Iterable[Definition],
        place: tuple[int, int, int],
        without: Definition | None,
    ):
        self._binding: dict[str, list[Definition]] = {}
        self._filling: dict[str, list[Definition]] = {}
        self._place = place
        self.future = []
        for item in items:
            if without is not None and item.place == without.place:
                continue
            if item.future:
                self.future.append(item)
                continue
            for name in item.names:
                self._binding.setdefault(name, []).append(item)
            for name in item.fills:
                self._filling.setdefault(name, []).append(item)

    def find(self, name: str) -> list[Definition]:
        found = self._binding.get(name, [])
        if not found:
            return []
        above = [item for item in found if item.place < self._place]
        chosen = (above or found)[-1]
        if chosen.node == "Import":  # import a.b and import a.c both bind a
            return [item for item in above or found if item.node == "Import"]
        end = self._place if above else _END
        needed = [chosen]
        for item in reversed((above or found)[:-1]):
            if name not in needed[0].at_once:
                break
            needed.insert(0, item)  # x = x + 1 needs the x before
        if needed[0].is_container:
            fills = self._filling.get(name, [])
            needed += [item for item in fills if needed[0].place < item.place < end]
        return needed


def _in_order(items: list[Definition]) -> list[Definition]:
    """Keep the order of the notebook, but put what a statement needs at once before it."""
    makers: dict[str, list[Definition]] = {}
    for item in items:
        for name in item.names | item.fills:
            makers.setdefault(name, []).append(item)
    done: set[int] = set()
    begun: set[int] = set()
    ordered = []
    for first in items:
        stack = [first]
        while stack:
            item = stack[-1]
            if id(item) in begun:
                stack.pop()
                if id(item) not in done:
                    done.add(id(item))
                    ordered.append(item)
                continue
            begun.add(id(item))
            before = [
                one
                for name in sorted(item.needs | item.fills)
                for one in makers.get(name, [])
                if id(one) not in begun
                # what changes a list keeps its place among the others
                and (name not in item.fills | item.names or one.place < item.place)
            ]
            stack += reversed(before)
    return ordered
