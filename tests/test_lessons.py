"""What holds for every lesson: marked equations, short cells, bounded numbers, references."""

import ast
import re
from pathlib import Path

import jupytext
import pytest

from genimg_course.exercises import specification
from genimg_course.maths.proofs import all_proofs

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.py"))
PROOFS = {proof.id for proof in all_proofs()}
# lessons without a training loop, which therefore call no ``fit``
NOTHING_IS_TRAINED = {
    "04_measuring_generators": {"fit"},  # it measures generators that are made by hand
}

pytestmark = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[str]:
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == kind]


def test_every_displayed_equation_names_its_proof_or_is_a_definition(path):
    text = "\n\n".join(cells(path, "markdown"))
    equations = re.findall(r"\$\$.+?\$\$\s*(<!--.*?-->)?", text, flags=re.DOTALL)
    assert len(equations) >= 5
    for mark in equations:
        found = re.fullmatch(r"<!-- (?:proof: (\S+)|definition) -->", mark)
        assert found, f"an equation has no mark, but {mark!r}"
        assert found.group(1) is None or found.group(1) in PROOFS


def test_a_proof_that_is_named_is_shown(path):
    named = set(re.findall(r"<!-- proof: (\S+) -->", path.read_text(encoding="utf-8")))
    shown = set(re.findall(r'^proof\("(\S+)"\)', path.read_text(encoding="utf-8"), flags=re.M))
    assert named <= shown <= PROOFS


def test_every_exercise_has_a_specification_of_four_misconceptions(path):
    ids = re.findall(r'@exercise\("(\S+)"\)', path.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids)) >= 4
    for each in ids:
        assert len(specification(each).misconceptions) >= 4


def test_code_cells_are_short_and_text_stands_between_them(path):
    lengths = [len([line for line in code.splitlines() if line]) for code in cells(path, "code")]
    assert max(lengths) <= 30
    assert sorted(lengths)[len(lengths) // 2] <= 10
    assert len(cells(path, "markdown")) >= 0.6 * len(lengths)


def test_a_lesson_ends_in_numbers_with_bounds_and_in_real_references(path):
    text = path.read_text(encoding="utf-8")
    calls = {
        getattr(n.func, "id", "") for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)
    }
    expected = {"report", "Goal", "progress", "fit"}
    assert expected - NOTHING_IS_TRAINED.get(path.stem, set()) <= calls
    reading = text[text.index("## Further reading") :]
    assert len(re.findall(r"https://(?:arxiv\.org/abs|doi\.org)/\S+\)", reading)) >= 5


def test_headings_make_claims_or_ask(path):
    headings = re.findall(r"^## (.+)$", "\n".join(cells(path, "markdown")), flags=re.M)
    assert len(headings) >= 8
    assert len(set(headings)) == len(headings)
