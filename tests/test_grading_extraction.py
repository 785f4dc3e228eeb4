import ast
import builtins
import subprocess
import sys
import time

import pytest
from grading_material.toy import ROOT, TOY, cell, handed_in, real_lessons

from genimg_course.grading.extraction import Answer, answers
from genimg_course.grading.extraction.definitions import uses
from genimg_course.grading.intake import Submission
from genimg_course.grading.intake.magics import without_magics
from genimg_course.grading.intake.notebook import LARGEST_CELL, Cell, read_notebook

LESSON = TOY["06"]
HALF = "def half(x):\n    return x / 2"
MARK = '@exercise("toy.half")\n'
STARTER = MARK + "def half(x):\n    raise NotImplementedError"


def half(*cells) -> Answer:
    """Return the answer to the first exercise of the toy lesson."""
    return answers(handed_in(*cells), LESSON)[0]


def run(answer: Answer, *arguments):
    """Run an answer of this file's own making and call it."""
    names: dict = {}
    exec(compile(answer.code, "<answer>", "exec"), names)
    return names[answer.function](*arguments)


# finding


@pytest.mark.parametrize(
    "given",
    [
        cell(MARK + HALF, "c1"),
        cell(HALF, "c1"),
        cell(MARK + HALF),
        cell("@exercises.exercise(id='toy.half')\n" + HALF, "zz"),
        cell(HALF),
        cell("half = lambda x: x / 2"),
        cell("import operator\nhalf = lambda x: operator.truediv(x, 2)", "c1"),
        cell("def other(x): return x / 2\nhalf = other"),
    ],
)
def test_an_answer_is_found_by_cell_by_mark_and_by_name(given):
    found = half("1 + 1", given, "half(3)")
    assert found.problem is None and found.exercise == "toy.half" and found.flags == ()
    assert run(found, 3) == 1.5


def test_cell_and_mark_count_before_a_function_of_the_same_name():
    found = half(cell(MARK + HALF, "c1"), "def half(x):\n    return 'scratch'")
    assert run(found, 3) == 1.5 and found.flags == ()


def test_tags_and_metadata_change_nothing():
    plain = half(cell(MARK + HALF, "c1"))
    for tag in ("skip-execution", "raises-exception", "nbval-skip", "otter_ignore", "remove-cell"):
        tagged = cell(MARK + HALF, "c1", metadata={"tags": [tag], "nbgrader": {"points": 99}})
        assert half(tagged) == plain


def test_a_renamed_function_under_the_mark_is_called_by_its_own_name():
    found = half(cell(MARK + HALF.replace("half", "my_half"), "c1"))
    assert found.function == "my_half" and run(found, 3) == 1.5


@pytest.mark.parametrize("id", ["c1", ""])
def test_of_two_answers_the_last_counts_and_is_flagged(id):
    wrong = HALF.replace("2", "3")
    found = half(cell(MARK + HALF, id), cell(MARK + wrong, id))
    assert run(found, 3) == 1.0 and found.flags == ("duplicate",)
    found = half(cell(MARK + wrong, id), cell(MARK + HALF, id))
    assert run(found, 3) == 1.5 and found.flags == ("duplicate",)


def test_a_copy_of_the_starter_does_not_replace_an_answer():
    found = half(cell(MARK + HALF, "c1"), cell(STARTER, "c1"))
    assert found.problem is None and found.flags == ("duplicate",)


def test_other_marks_stay_and_lines_keep_their_numbers():
    text = "import functools\n\n@exercise(\n    'toy.half'\n)\n@functools.cache\n" + HALF
    found = half(cell(text, "c1"))
    assert "@functools.cache" in found.code and "exercise" not in found.code
    at = found.code.split("\n").index("    return x / 2") + 1
    assert at + found.first_line - 1 == text.split("\n").index("    return x / 2") + 1
    assert found.line == 3


def test_lines_are_right_when_much_is_taken_along():
    helper = "def helper(x):\n" + "    x = x\n" * 20 + "    return x"
    found = half(helper, cell(MARK + "def half(x):\n    return helper(x) / 2", "c1"))
    at = found.code.split("\n").index("    return helper(x) / 2") + 1
    assert at + found.first_line - 1 == 3 and found.first_line < 1


def test_solution_markers_are_comments():
    text = MARK + "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION"
    assert run(half(cell(text, "c1")), 3) == 1.5


# not attempted


@pytest.mark.parametrize(
    "body",
    [
        "raise NotImplementedError  # write your answer here",
        "raise NotImplementedError('todo')",
        "pass",
        "...",
        '"""Only words."""',
        '"""Words."""\n    ...\n    pass',
        '"""Words."""\n    raise NotImplementedError()',
    ],
)
def test_a_starter_is_not_attempted(body):
    found = half(cell(f"{MARK}def half(x):\n    {body}", "c1"))
    assert (found.problem.status, found.problem.diagnosis) == ("not_attempted", "starter")
    assert found.code == ""


def test_code_below_the_raise_is_explained():
    found = half(cell(STARTER + "\n    return x / 2", "c1"))
    assert found.problem.status == "not_attempted" and "delete it" in found.problem.message


@pytest.mark.parametrize(
    "cells, diagnosis, words",
    [
        ([], "deleted", "not in the notebook"),
        (["x = 1"], "deleted", "toy.half"),
        ([cell(MARK + HALF, "c1", kind="markdown")], "cell_type", "Markdown"),
        ([cell(MARK + HALF, "c1", kind="raw")], "cell_type", "raw"),
        ([cell(MARK + HALF, kind="markdown")], "cell_type", "toy.half"),
        ([cell("", "c1")], "empty", "empty"),
        ([cell("x = 1", "c1")], "renamed", "half"),
        ([cell("%%writefile half.py\n" + HALF, "c1")], "magic", "%%writefile"),
        ([cell("%%bash\nrm -rf /", "c1")], "magic", "%%bash"),
        ([cell("half = None", "c1")], "starter", "half"),
    ],
)
def test_a_missing_answer_is_not_attempted_and_says_why(cells, diagnosis, words):
    found, other = answers(handed_in(*cells, cell("def area(r):\n    return r", "c2")), LESSON)
    assert (found.problem.status, found.problem.diagnosis) == ("not_attempted", diagnosis)
    assert words in found.problem.message and "half" in found.problem.message
    assert other.problem is None and run(other, 3) == 3


# errors


@pytest.mark.parametrize(
    "text, diagnosis, words",
    [
        (MARK + "def half(x):\n    return x +* 2", "syntax", "line 3: return x +* 2"),
        (MARK + "def half(x):\nreturn x", "syntax", "line 3"),
        (MARK + "def half(x, x):\n    return x", "syntax", "duplicate argument"),
        (MARK + "async " + HALF, "async", "async"),
        (MARK + "class half:\n    pass", "class", "class"),
        ("class A:\n    def half(self, x):\n        return x", "nested", "a class"),
        ("def outer():\n    def half(x):\n        return x", "nested", "another function"),
        ("if True:\n    def half(x):\n        return x", "nested", "left margin"),
        ("for i in range(3):\n    def half(x):\n        return x", "nested", "a loop"),
        ("from torch import half", "unavailable", "write it yourself"),
        ("import genimg_course.losses as half", "unavailable", "write it yourself"),
        ("#" * (LARGEST_CELL + 1) + "\n" + HALF, "size", "100,000"),
    ],
)
def test_what_cannot_be_run_is_an_error_of_this_exercise_only(text, diagnosis, words):
    found, other = answers(handed_in(cell(text, "c1"), "def area(r):\n    return r"), LESSON)
    assert (found.problem.status, found.problem.diagnosis) == ("error", diagnosis)
    assert words in found.problem.message
    assert other.problem is None


def test_a_right_answer_beside_a_broken_copy_counts():
    found = half(cell(MARK + HALF, "c1"), cell(MARK + "def half(x:\n", "c9"))
    assert found.problem is None


def test_a_broken_answer_is_no_untouched_starter():
    found = half(cell(MARK + "def half(x:\n  return", "c1"), cell(STARTER))
    assert found.problem.diagnosis == "syntax"


# magics


MAGICS = [
    "!ls -l",
    "%matplotlib inline",
    "%pip install torch",
    "%run other.ipynb",
    "%load_ext autoreload",
    "?half",
    "half?",
    "torch.nn??",
    "files = !ls",
    "now = %time",
    "!echo \"it's",
    "!pip install a \\\n    b \\\n    c",
]


@pytest.mark.parametrize("line", MAGICS)
def test_magics_are_taken_out_and_flagged(line):
    below = MARK + "def half(x):\n    " + line.split("\n")[0].rstrip("\\") + "\n    return x / 2"
    for text in (f"{line}\n{MARK}{HALF}", f"{MARK}{HALF}\n{line}", below):
        found = half(cell(text, "c1"))
        assert found.problem is None and found.flags == ("magics",)
        assert run(found, 3) == 1.5
        assert not any(word in found.code for word in ("!", "%", "?"))


def test_taking_magics_out_keeps_the_number_of_lines():
    text = "!pip install a \\\n  b\nx = 1\n%time y = 2\n%%html\nz = 3"
    python = without_magics(text)
    assert python.text == "pass\n\nx = 1\ny = 2\npass\nz = 3" and python.removed == 3


@pytest.mark.parametrize(
    "text",
    ['x = """\n!ls\n%run x\n"""', "x = ('%s'\n% 3)", "x = (1\n%y)", "a % b", "x = 5 % 3"],
)
def test_python_that_looks_like_a_magic_stays(text):
    assert without_magics(text).text == text


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n%%timeit -n 3"])
def test_a_timed_cell_is_still_an_answer(magic):
    found = half(cell(f"{magic}\n{HALF}", "c1"))
    assert run(found, 3) == 1.5 and found.flags == ("magics",)


def test_a_magic_elsewhere_is_no_flag_of_the_answer():
    assert half("!ls", cell(HALF, "c1")).flags == ()


# what an answer needs


def test_only_what_the_answer_names_is_taken_along():
    found = half(
        "import math, os\nimport json as j\nraise RuntimeError('not run')",
        "model = load('big')\nmodel.train()\nfor x in model:\n    step(x)",
        "SCALE = math.sqrt(4)\ndef twice(x):\n    return SCALE * x",
        cell("def half(x: int) -> float:\n    model = x\n    return twice(model) / 4", "c1"),
    )
    assert run(found, 3) == 1.5
    assert ast.unparse(ast.parse(found.code)).split("\n")[:2] == [
        "import math",
        "SCALE = math.sqrt(4)",
    ]
    assert "load" not in found.code and "json" not in found.code and "os" not in found.code


@pytest.mark.parametrize(
    "cells, result",
    [
        # the last definition above the answer counts, as the check in the notebook saw it
        (["C = 1", "C = 2", "ANSWER", "C = 3"], 2),
        (["ANSWER", "C = 3", "C = 4"], 4),
        (["ANSWER", "C = helper()", "def helper():\n    return math.floor(5.5)", "import math"], 5),
        (["C = 1\nC = C + 1\nC += 3", "ANSWER"], 5),
        (["C, D = 7, 8", "ANSWER"], 7),
        (["C: int = 7", "ANSWER"], 7),
        (["A = C = 7; B = 8", "ANSWER"], 7),
        (["é = 'ü'; C = len(é + 'ß')", "ANSWER"], 2),
        (
            [
                "T = {}\nT['a'] = 6\nfor i in range(3):\n    T[i] = i",
                "C = sum(T.values())",
                "ANSWER",
            ],
            9,
        ),
        (["L = []\nL.append(4)\nL.append(5)", "C = L[1] - L[0]", "ANSWER"], 1),
        (["try:\n    import nothing_here\nexcept ImportError:\n    C = 6", "ANSWER"], 6),
        (["if len('a'):\n    C = 6\nelse:\n    C = 7", "ANSWER"], 6),
        (["import os.path\nimport os", "C = len(os.path.join('a', 'b'))", "ANSWER"], 3),
        (["class Base:\n    c = 3", "class Own(Base):\n    pass", "C = Own.c", "ANSWER"], 3),
        (["C = [i * j for i in range(3) for j in range(3)][-1]", "ANSWER"], 4),
        (["C = 3", "C = [C + 1 for _ in range(2)][0]", "ANSWER"], 4),
        (["é = 'üüü'; C = 2; raise SystemExit", "ANSWER"], 2),
        (["K = 3", "C = [K for _ in range(2)][0]", "ANSWER"], 3),
        (
            [
                "def a(n):\n    return b(n)",
                "def b(n):\n    return n and a(n - 1)",
                "C = a(3)",
                "ANSWER",
            ],
            0,
        ),
        (["from math import *", "C = 3", "ANSWER"], 3),
        (["abs = lambda x: 'mine'", "C = abs(-1)", "ANSWER"], "mine"),
    ],
)
def test_definitions_are_taken_along_in_an_order_that_runs(cells, result):
    answer = cell("def half(x):\n    return C", "c1")
    found = half(*[answer if item == "ANSWER" else item for item in cells])
    assert found.undefined == () and run(found, 0) == result


def test_several_modules_of_one_package_are_all_imported():
    found = half("import xml.dom\nimport xml.sax", cell("def half(x):\n    return xml.dom", "c1"))
    assert "import xml.dom\n" in found.code and "import xml.sax\n" in found.code


def test_imports_from_the_future_come_first():
    found = half(
        "K = 1", "from __future__ import annotations", cell("def half(x: Any):\n    return K", "c1")
    )
    assert found.code.startswith("from __future__") and run(found, 0) == 1


def test_what_the_copy_has_lost_is_lent_by_the_course():
    half_, area = answers(
        handed_in(
            cell("def half(x: Tensor) -> Tensor:\n    return LOW + HIGH * x / 2", "c1"),
            cell("def area(r):\n    return math.pi * r**2", "c2"),
        ),
        LESSON,
    )
    assert "from torch import Tensor" in half_.code and "LOW, HIGH = range(2)" in half_.code
    assert half_.undefined == area.undefined == () and run(area, 1) == pytest.approx(3.14159, 1e-5)


def test_exercises_that_take_part_are_named():
    first = cell("@exercise('toy.half')\ndef half(x):\n    return x / 2", "c1")
    second = cell("@exercise('toy.area')\ndef area(r):\n    return helper(r)", "c2")
    helper = "def helper(r):\n    return half(r)"
    found = answers(handed_in(first, helper, second), LESSON)
    assert [item.depends for item in found] == [(), ("toy.half",)]
    assert run(found[1], 3) == 1.5 and "exercise" not in found[1].code
    broken = cell("def half(x:", "c1")
    assert answers(handed_in(broken, helper, second), LESSON)[1].depends == ("toy.half",)
    unasked = "def half(x):\n    return half(x)"
    assert half(cell(unasked, "c1")).depends == ()


def test_names_that_nobody_defines_are_reported():
    assert half(cell("def half(x):\n    return F.relu(x) + len(g)", "c1")).undefined == ("F", "g")


# the course itself


def _submission(path) -> tuple[Submission, str]:
    data, number = path.read_bytes(), path.name[:2]
    return Submission("solved", number, "solved", read_notebook(data), "0" * 64), number


SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_solution_of_the_course_is_complete_and_needs_no_other_name(path):
    submission, number = _submission(path)
    found = answers(submission, real_lessons()[number])
    assert [item.exercise for item in found] == [
        item.id for item in real_lessons()[number].exercises
    ]
    for item in found:
        assert item.problem is None and item.undefined == () and item.flags == ()
        compile(item.code, "<answer>", "exec")
        tree = ast.parse(item.code)
        bound = {name for node in ast.walk(tree) for name in _binds(node)}
        at_once, later = uses(item.code, frozenset(bound))
        assert (at_once | later) - bound - set(dir(builtins)) == set()
        assert not any(part.startswith("exercise(") for part in _decorators(tree))


def _binds(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (item.asname or item.name.partition(".")[0] for item in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id


def _decorators(tree):
    return [ast.unparse(m) for n in ast.walk(tree) for m in getattr(n, "decorator_list", [])]


@pytest.mark.parametrize("path", SOLUTIONS[6:8], ids=lambda path: path.stem)
def test_a_copy_without_ids_imports_and_metadata_is_found_by_names(path):
    submission, number = _submission(path)
    lesson = real_lessons()[number]
    functions = {item.function for item in lesson.exercises}
    bare = tuple(
        Cell("", "code", item.source.partition("\n")[2])
        for item in submission.cells
        if item.kind == "code" and any(f"\ndef {name}(" in item.source for name in functions)
    )
    found = answers(Submission("s", number, "s", bare, ""), lesson)
    assert all(item.problem is None and item.undefined == () for item in found)


def test_students_notebooks_are_not_attempted():
    for number, lesson in real_lessons().items():
        submission = Submission("s", number, "s", lesson.cells, "")
        for item in answers(submission, lesson):
            assert item.problem and item.problem.status == "not_attempted"


# hostile sources

DEF = "def half(x):\n    return "
N = 90_000
HOSTILE = {
    "parentheses": DEF + "(" * N,
    "minus": DEF + "-" * N + "1",
    "attributes": DEF + "a" + ".b" * 40_000,
    "calls": DEF + "a" + "()" * 40_000,
    "sum": DEF + "1" + "+1" * 40_000,
    "lambdas": DEF + "lambda:" * 12_000 + "1",
    "elif": "if x: pass\n" + "elif x: pass\n" * 6_000 + DEF + "1",
    "power": DEF + "10**10**8",
    "digits": DEF + "9" * N,
    "hexadecimal": DEF + "0x" + "f" * N,
    "null": DEF + "1\0",
    "surrogate": DEF + "'\ud800'",
    "form feed": "\x0c" + DEF + "1\x0c",
    "names": "\n".join(f"a{i}=a{i + 1}" for i in range(5_000)) + "\n" + DEF + "a0",
    "statements": "a=1;" * 22_000 + "\n" + DEF + "a",
    "definitions": "def half(x):0\n" * 6_000,
    "imports": "import " + ",".join(["a"] * 40_000) + "\n" + DEF + "a",
    "magics": "!ls\n" * 20_000 + DEF + "1",
    "quotes": DEF + '"' * N,
    "format": DEF + 'f"{' * 1_000,
    "tabs": "def half(x):\n\tif 1:\n        return 1",
    "cookie": "# -*- coding: utf-16 -*-\n" + DEF + "1",
    "line ends": "def half(x):\r    return 1\r",
    "long line": DEF + "1 #" + "x" * N,
    "return outside": "return 3\n" + DEF + "1",
    "two of one name": "def half(x, x):\n    return 1",
}


def test_no_source_breaks_the_extraction():
    """In a process of its own: what breaks the parser's stack would take the tests along."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_grading_extraction import *\n"
        "for name, text in HOSTILE.items():\n"
        "    begin = time.perf_counter()\n"
        "    cells = (Cell('c1', 'code', text), Cell('c2', 'code', 'def area(r): return 1'))\n"
        "    one, two = answers(Submission('s', '06', 's', cells, ''), LESSON)\n"
        "    assert bool(one.code) != bool(one.problem), name\n"
        "    assert two.problem is None and len(str(one.problem)) < 600, name\n"
        "    assert time.perf_counter() - begin < 10, name\n"
        "    print(name, one.problem.diagnosis if one.problem else 'code')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {name for name in HOSTILE if said[name] == "code"} >= {
        *("power", "hexadecimal", "form feed", "statements", "cookie", "long line"),
    }
    assert said["minus"] == said["null"] == said["surrogate"] == said["tabs"] == "syntax"


def test_a_notebook_of_many_small_cells_is_answered_in_seconds():
    cells = [Cell("", "code", f"y{i} = y{i + 1}\n!ls") for i in range(19_999)]
    begin = time.perf_counter()
    one, _ = answers(
        Submission("s", "06", "s", (*cells, Cell("c1", "code", DEF + "1")), ""), LESSON
    )
    assert one.problem is None and time.perf_counter() - begin < 20
