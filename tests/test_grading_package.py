"""The copies of the package that hold no answers: for sandboxes, and for students."""

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import genimg_course
from genimg_course.exercises.registry import specifications
from genimg_course.grading.package import stub, withheld, write_package

ROOT = Path(genimg_course.__file__).parent
ITEMS = list(specifications().values())


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    target = tmp_path_factory.mktemp("copies")
    yield {box: write_package(target, box=box) for box in (True, False)}
    shutil.rmtree(target, ignore_errors=True)


def run(folder, code, **values):
    """Run code where only this copy is the package, and return what it prints as JSON."""
    script = f"import sys\nsys.path.insert(0, {str(folder)!r})\nsys.dont_write_bytecode = True\n"
    script += f"values = {values!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("box", [True, False])
def test_every_module_of_a_copy_imports(copies, box):
    code = """
import importlib, json, pkgutil
import genimg_course
found = [m.name for m in pkgutil.walk_packages(genimg_course.__path__, "genimg_course.")]
files = {importlib.import_module(name).__file__ for name in found if "__main__" not in name}
print(json.dumps([len(found), sorted(files)]))
"""
    count, files = run(copies[box], code)
    assert count > 100
    assert all(Path(file).is_relative_to(copies[box]) for file in files)


@pytest.mark.parametrize("box", [True, False])
def test_every_withheld_function_can_be_imported_and_raises(copies, box):
    code = """
import importlib, inspect, json
told = {}
for file, names in values["graded"].items():
    module = importlib.import_module("genimg_course." + file.removesuffix(".py").replace("/", "."))
    for name in names:
        function = getattr(module, name)
        needed = inspect.signature(function).parameters.values()
        given = {p.name: None for p in needed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        positional = [given.pop(p.name) for p in needed if p.kind is p.POSITIONAL_ONLY]
        try:
            function(*positional, **given)
        except Exception as error:
            told[name] = [type(error).__name__, str(error)]
        assert inspect.getdoc(function)
print(json.dumps(told))
"""
    graded = withheld()
    told = run(copies[box], code, graded=graded)
    assert told.keys() == {name for names in graded.values() for name in names}
    assert {kind for kind, _ in told.values()} == {"GradedFunctionUnavailable"}
    place = "the grader's copy" if box else "this copy"
    sentence = "gaussian_kl is what you are asked to write yourself: "
    assert told["gaussian_kl"][1] == f"{sentence}{place} of genimg_course does not have it."


def test_every_reference_is_withheld():
    names = {name for functions in withheld().values() for name in functions}
    assert {item.reference.__name__ for item in ITEMS} <= names


def bodies(path):
    """Return the statements of every function of a file, docstrings and plain checks left out."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef):
            begin = 1 if ast.get_docstring(node) is not None else 0
            kept = [s for s in node.body[begin:] if not _is_check(s)]
            yield node.name, [ast.dump(statement) for statement in kept]


def _is_check(statement):
    text = ast.unparse(statement)
    return text.startswith("check_") or "raise ValueError" in text


@pytest.mark.parametrize("box", [True, False])
def test_no_body_of_a_withheld_function_is_left(copies, box):
    wanted = withheld()
    gone = {
        (name, tuple(body))
        for file, names in wanted.items()
        for name, body in bodies(ROOT / file)
        if name in names and body
    }
    left = {
        tuple(body)
        for path in (copies[box] / "genimg_course").rglob("*.py")
        for _, body in bodies(path)
    }
    assert {name for name, body in gone if body in left} == set()
    # what a function returns is most of its answer; short ones are too common to say anything
    long = {(name, body[-1]) for name, body in gone if len(body[-1]) > 400}
    assert len(long) > 20
    last = {body[-1] for body in left if body}
    assert {name for name, end in long if end in last} == set()


def texts(folder):
    """Return the text of a copy as one string, without what breaks lines of string literals."""
    parts = []
    for path in sorted(folder.rglob("*.py")):
        parts.append(path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(parts[-1])):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                parts.append(node.value)
    return "\n".join(parts)


def test_a_copy_for_a_sandbox_tells_nothing_of_messages_and_hints(copies):
    text = texts(copies[True])
    messages = {wrong.message for item in ITEMS for wrong in item.misconceptions}
    hints = {hint for item in ITEMS for hint in item.hints}
    sentences = {sentence for item in ITEMS for sentence in item.sentences.values()}
    assert {said for said in messages | hints | sentences if said in text} == set()


def test_a_copy_for_students_holds_hints_but_no_known_wrong_answers(copies):
    text = texts(copies[False])
    assert all(hint in text for item in ITEMS for hint in item.hints)
    messages = {wrong.message for item in ITEMS for wrong in item.misconceptions}
    assert {said for said in messages if said in text} == set()


@pytest.mark.parametrize("box", [True, False])
def test_a_copy_leaves_out_what_knows_the_answers(copies, box):
    found = {p.relative_to(copies[box]).as_posix() for p in copies[box].rglob("*")}
    assert not any("lesson_" in name and "probing" not in name for name in found)
    assert not any(name.endswith((".pyc", "checking.py", "registry.py")) for name in found)
    assert "genimg_course/maths/proofs/vae.py" not in found
    grading = {name for name in found if name.startswith("genimg_course/grading/")}
    assert any("/box/" in name for name in grading) == box
    assert "genimg_course/grading/package.py" not in found
    if box:
        assert not any(name.endswith(".safetensors") for name in found)
        assert {name for name in found if "/clinic" in name or "/museum" in name} == set()
    else:
        assert "genimg_course/checkpoints/vae.safetensors" in found


def test_a_copy_has_the_same_bytes_each_time_and_is_written_once(copies, tmp_path):
    again = write_package(tmp_path, box=True)
    assert again.name == copies[True].name
    read = {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    first = copies[True]
    assert read == {p.relative_to(first): p.read_bytes() for p in first.rglob("*") if p.is_file()}
    before = again.stat().st_mtime_ns
    assert write_package(tmp_path, box=True) == again
    assert again.stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.iterdir()] == [again.name]


def test_a_copy_cannot_be_written_to(copies):
    for path in (copies[True] / "genimg_course").rglob("*"):
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
        assert path.stat().st_mode & stat.S_IROTH
    if os.geteuid():
        with pytest.raises(PermissionError):
            (copies[True] / "genimg_course" / "maths" / "new.py").touch()


def test_exercises_in_a_sandbox_keep_the_function_and_say_nothing(copies):
    code = """
import json
from genimg_course.exercises import exercise, hint, progress
from genimg_course.maths.proofs import proof
@exercise("vae.gaussian_kl")
def gaussian_kl(mu, logvar):
    return 1
print(json.dumps([gaussian_kl(0, 0), hint("x.y"), progress(6), proof("x")]))
"""
    assert run(copies[True], code) == [1, None, None, None]


def test_exercises_of_students_keep_the_function_and_show_hints(copies):
    code = """
import contextlib, io, json
from genimg_course.exercises import exercise, hint, progress
out = io.StringIO()
with contextlib.redirect_stdout(out):
    progress()
    @exercise("vae.gaussian_kl")
    def gaussian_kl(mu, logvar):
        return 1
    for _ in range(7):
        hint("vae.gaussian_kl")
    progress(6)
    try:
        exercise("vae.nothing")
    except ValueError as error:
        print(error)
print(json.dumps([gaussian_kl(0, 0), out.getvalue()]))
"""
    value, said = run(copies[False], code)
    assert value == 1
    assert "It is judged when you hand it in." in said
    hints = specifications()["vae.gaussian_kl"].hints
    assert [hint.split("\n")[0] in said for hint in hints] == [True] * 5
    assert "Hint 5 of 5" in said
    assert "There is no exercise 'vae.nothing'." in said
    assert "def gaussian_kl" not in said


MODULE = b'''"""Caf\xc3\xa9."""

from __future__ import annotations

import math

TABLE = {"one": 1}
ROWS = (1, 2)


def right(x):
    """Return \xc2\xbd of x."""
    # think of halves
    return _half(x) + _shared(x)  # so


def bare(
    x: int,
) -> int:
    # nothing but a comment
    y = make(x, key=lambda v: (v,
        2))
    return y


def _half(x):
    return _deeper(x) / 2


def _deeper(x):
    return x


def _shared(x):
    return x


def other(x):
    return _shared(x)
'''


def test_a_stub_keeps_signature_and_docstring_and_takes_what_only_it_uses():
    text = stub(MODULE, ["right"]).decode()
    names = {n.name: n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)}
    assert ast.get_docstring(names["right"]) == "Return ½ of x."
    assert "halves" not in text
    for name in ("right", "_half", "_deeper"):
        assert ast.unparse(names[name].body[-1]).startswith("raise GradedFunctionUnavailable(")
    for name in ("bare", "_shared", "other"):
        assert "raise" not in ast.unparse(names[name])
    assert text.index("from __future__") < text.index("GradedFunctionUnavailable\n")


def test_tables_become_empty_and_arguments_none():
    text = stub(MODULE, ["bare"], tables=["TABLE", "ROWS"]).decode()
    assert "TABLE = {}\n" in text
    assert "ROWS = ()\n" in text
    assert "comment" not in text
    assert '    raise GradedFunctionUnavailable("bare")\n\n\ndef _half' in text
    assert "key=None)" in stub(MODULE, [], arguments=["key"]).decode()


def test_a_module_without_answers_stays_as_it_is():
    assert stub(MODULE, []) == MODULE


@pytest.mark.parametrize("given", [{"functions": ["nothing"]}, {"functions": [], "tables": ["x"]}])
def test_what_is_not_there_cannot_be_taken_out(given):
    with pytest.raises(ValueError, match=r"the module has no (nothing|x)"):
        stub(MODULE, **given)
