"""Submissions for the tests of the grader, made from the course's own notebooks."""

import ast
import copy
import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from genimg_course.grading.intake import manifest
from genimg_course.grading.isolation.session import Ended
from genimg_course.probing.observing import find_probe, observe

__all__ = [
    "LESSONS",
    "ROOT",
    "WRONG",
    "Inside",
    "answered",
    "hand_in",
    "solved",
    "starter",
    "write_class",
]

ROOT = Path(__file__).resolve().parents[2]
LESSONS = manifest(ROOT / "notebooks")

WRONG = {
    "vae.gaussian_kl": {
        "HALF": "return (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)",
        "SIGN": "return -0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)",
        "REDUCE_DIM": "return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(dim=1)",
        "shape": "return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1, keepdim=True)",
        "none": "mu + logvar",
        "raises": "return mu @ logvar.nothing",
    },
    "vae.reparameterise": {
        "STD": "return mu + logvar.exp() * torch.randn_like(mu)",
        "NO_SIGMA": "return mu + torch.randn_like(mu)",
    },
}
"""Bodies of known wrong answers, by exercise and diagnosis."""


def solved(lesson):
    """Return the solved notebook of a lesson."""
    return _read(ROOT / "solutions" / f"{LESSONS[lesson].name}.ipynb")


def starter(lesson):
    """Return the notebook of a lesson as students get it."""
    return _read(ROOT / "notebooks" / f"{LESSONS[lesson].name}.ipynb")


def answered(notebook, bodies):
    """Return a notebook with other bodies of its exercises, by id."""
    changed = copy.deepcopy(notebook)
    left = dict(bodies)
    for cell in changed["cells"]:
        source = "".join(cell["source"])
        for id in [id for id in left if f'@exercise("{id}")' in source]:
            source = _with_body(source, id, left.pop(id))
        if cell["cell_type"] == "code":
            cell["source"] = source.splitlines(keepends=True)
    assert not left, f"no cells of {sorted(left)}"
    return changed


def _with_body(source, id, body):
    plain = "\n".join("" if line[:1] in "%!" else line for line in source.split("\n"))
    node = next(
        node
        for node in ast.parse(plain).body
        if isinstance(node, ast.FunctionDef) and f"'{id}'" in ast.unparse(node.decorator_list)
    )
    lines = source.split("\n")
    indented = [f"    {line}" for line in body.split("\n")]
    return "\n".join(
        [*lines[: node.body[0].lineno - 1], *indented, *lines[node.body[-1].end_lineno :]]
    )


def hand_in(folder, student, lesson, notebook):
    """Write a student's notebook, or a text in its place, into a folder of the student's name."""
    path = folder / student / f"{LESSONS[lesson].name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = notebook if isinstance(notebook, str) else json.dumps(notebook)
    path.write_text(text, encoding="utf-8")
    return path


def write_class(folder, lesson="06", *, students=("ada", "bob", "eve", "kim", "zoe")):
    """Write submissions of one lesson: right, wrong in two ways, starter, and no notebook."""
    wrong = {id: list(bodies.values()) for id, bodies in WRONG.items() if id in _ids(lesson)}
    notebooks = {
        "ada": solved(lesson),
        "bob": answered(solved(lesson), {id: bodies[0] for id, bodies in wrong.items()}),
        "eve": answered(solved(lesson), {id: bodies[1] for id, bodies in wrong.items()}),
        "kim": starter(lesson),
        "zoe": "{ no notebook",
    }
    for student in students:
        hand_in(folder, student, lesson, notebooks[student])
    return folder


def _ids(lesson):
    return {item.id for item in LESSONS[lesson].exercises}


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Inside:
    """A sandbox without walls: answers that the tests wrote themselves run in this process."""

    tier = SimpleNamespace(name="none", flags=("UNSANDBOXED",))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        """End nothing."""

    def worker(self):
        """Start nothing."""

    @contextmanager
    def run(self, program):
        """Execute the cell and offer ``ask``."""
        names = {}
        try:
            exec(compile(program.code, program.filename, "exec"), names)
        except Exception as error:
            raise Ended("error", "raises", f"{type(error).__name__}: {error}", ()) from error
        function, probe = names[program.function], find_probe(program.probe, program.arguments)
        yield SimpleNamespace(ask=lambda case, seed: observe(probe, function, case, seed=seed))
