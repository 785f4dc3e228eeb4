"""One submission: every exercise gets its record, and the verdict of the notebook's own check."""

import hashlib
import linecache
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from grading_material.submissions import LESSONS, WRONG, Inside, answered, hand_in, solved, starter

from genimg_course.exercises.checking import check
from genimg_course.exercises.registry import of_lesson, specification
from genimg_course.grading import judging
from genimg_course.grading.extraction import Answer, Problem
from genimg_course.grading.intake import Item, Lesson, gather
from genimg_course.grading.isolation.session import Ended, Sandbox
from genimg_course.grading.isolation.tiers import NoIsolation, choose_tier
from genimg_course.grading.judging import GRADER, grade_submission
from genimg_course.grading.package import write_package
from genimg_course.probing.observing import find_probe, observe

KL, DRAW, STEP = "vae.gaussian_kl", "vae.reparameterise", "vae.step"
SUBMISSION = SimpleNamespace(student="ada", lesson="06", sha256="f" * 64, flags=(), name="a.ipynb")
RIGHT = "return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)"


def answer(exercise, body, **values):
    function = exercise.partition(".")[2]
    code = f"import torch\n\ndef {function}(mu, logvar):\n    {body}\n"
    return Answer(exercise, function, code, **values)


def graded(monkeypatch, *answers, sandbox=None, ids=None, **options):
    """Grade answers as if they had been found in a notebook."""
    ids = ids or [one.exercise for one in answers]
    lesson = Lesson("06", "vae", tuple(Item(id, id.partition(".")[2], id) for id in ids))
    monkeypatch.setattr(judging, "answers", lambda *_: list(answers))
    records = grade_submission(SUBMISSION, lesson, sandbox or Inside(), seed=3, **options)
    assert [record.exercise for record in records] == ids
    return {record.exercise: record for record in records}


class Ending(Inside):
    """A sandbox in which some functions end their process."""

    def __init__(self, **ends):
        self.ends = ends

    @contextmanager
    def run(self, program):
        with super().run(program) as run:
            end = self.ends.get(program.function)

            def ask(case, seed):
                if end is not None:
                    raise end
                return run.ask(case, seed)

            yield SimpleNamespace(ask=ask)


def test_a_right_answer_gets_its_points_and_leaves_its_traces(monkeypatch):
    one = answer(KL, RIGHT, flags=("duplicate",))
    record = graded(monkeypatch, one, points={KL: 2.5})[KL]
    assert (record.status, record.points, record.possible) == ("correct", 2.5, 2.5)
    assert (record.diagnosis, record.message) == ("", "")
    assert (record.student, record.lesson, record.seed) == ("ada", "06", 3)
    assert record.answer == hashlib.sha256(one.code.encode()).hexdigest()
    assert record.tier == "none"
    assert record.flags == ("duplicate", "UNSANDBOXED")


@pytest.mark.parametrize("code", WRONG[KL])
def test_a_wrong_answer_is_told_what_the_notebook_would_tell(monkeypatch, code):
    one = answer(KL, WRONG[KL][code])
    record = graded(monkeypatch, one)[KL]
    names = {}
    exec(one.code, names)
    verdict = check(specification(KL), names["gaussian_kl"], seed=3)
    assert record.status == ("error" if code == "raises" else "wrong")
    assert (record.diagnosis, record.message) == (verdict.code, verdict.sentence)
    assert record.diagnosis == code
    assert (record.points, record.possible) == (0, 1)


@pytest.mark.parametrize("lesson", ["05", "06", "13"])
def test_verdicts_are_those_of_the_check_for_every_known_wrong_answer(lesson):
    for item in of_lesson(lesson):
        probe = find_probe(*item.probe_name)
        cases = judging._cases(item.id, 3)
        for wrong in item.misconceptions:
            got = [observe(probe, wrong.function, case, seed=3) for case in cases]
            verdict = judging.judge(item, cases, got, 3)
            assert verdict == check(item, wrong.function, seed=3)
            assert verdict.code == wrong.code


@pytest.mark.parametrize("way", ["raise NotImplementedError", "raise NotImplementedError('soon')"])
def test_what_is_half_written_was_not_attempted(monkeypatch, way):
    record = graded(monkeypatch, answer(KL, f"terms = mu + logvar\n    {way}"))[KL]
    assert (record.status, record.diagnosis, record.points) == ("not_attempted", "not_written", 0)
    assert record.message


def test_an_error_of_torch_that_something_is_not_implemented_is_an_error(monkeypatch):
    body = "return torch.nn.Module()(mu)"  # raises NotImplementedError, which the body never names
    record = graded(monkeypatch, answer(KL, body))[KL]
    assert (record.status, record.diagnosis) == ("error", "raises")


def test_a_problem_of_the_extraction_is_passed_on_and_nothing_runs(monkeypatch):
    problem = Problem("error", "syntax", "Line 3 is no Python.")
    record = graded(monkeypatch, answer(KL, RIGHT, problem=problem), sandbox=Ending())[KL]
    assert (record.status, record.diagnosis, record.message) == (
        "error",
        "syntax",
        "Line 3 is no Python.",
    )
    assert (record.tier, record.flags) == ("", ())


def test_an_exercise_without_an_answer_was_not_attempted(monkeypatch):
    records = graded(monkeypatch, answer(KL, RIGHT), ids=[DRAW, KL])
    assert (records[DRAW].status, records[DRAW].answer) == ("not_attempted", "")
    assert records[KL].status == "correct"


@pytest.mark.parametrize("status", ["timeout", "crashed", "killed:memory", "killed:cpu", "error"])
def test_an_answer_that_ends_its_process_ends_its_own_exercise_only(monkeypatch, status):
    end = Ended(status, "why", "It ended.", ("tamper",))
    body = "return mu + (logvar / 2).exp() * torch.randn_like(mu)"
    records = graded(
        monkeypatch,
        answer(KL, RIGHT),
        answer(DRAW, body),
        sandbox=Ending(gaussian_kl=end),
    )
    assert (records[KL].status, records[KL].diagnosis) == (status, "why")
    assert (records[KL].message, records[KL].flags) == ("It ended.", ("tamper", "UNSANDBOXED"))
    assert records[KL].points == 0
    assert records[DRAW].status == "correct"


def test_a_fault_of_the_grader_is_told_and_costs_no_other_exercise(monkeypatch):
    told = []
    records = graded(
        monkeypatch,
        answer(KL, RIGHT),
        answer(DRAW, RIGHT),
        sandbox=Ending(gaussian_kl=RuntimeError("a bug")),
        tell=told.append,
    )
    assert (records[KL].status, records[KL].diagnosis) == ("error", GRADER)
    assert GRADER in records[KL].flags
    assert "a bug" not in records[KL].message
    assert len(told) == 1 and "a bug" in told[0] and "ada" in told[0] and KL in told[0]
    assert records[DRAW].status == "wrong"


def test_a_notebook_that_breaks_the_extraction_still_has_all_its_records(monkeypatch):
    def broken(*_):
        raise RecursionError("too deep")

    told, lesson = [], LESSONS["06"]
    monkeypatch.setattr(judging, "answers", broken)
    records = grade_submission(SUBMISSION, lesson, Inside(), seed=3, tell=told.append)
    assert [r.exercise for r in records] == [item.id for item in lesson.exercises]
    assert {(r.status, r.diagnosis, r.points) for r in records} == {("error", GRADER, 0)}
    assert len(told) == 1 and "too deep" in told[0]


def test_an_end_that_makes_no_record_is_a_fault_of_the_grader(monkeypatch):
    end = Ended("no such status", "", "", ())
    sandbox = Ending(gaussian_kl=end)
    record = graded(monkeypatch, answer(KL, RIGHT), sandbox=sandbox, tell=lambda _: None)[KL]
    assert (record.status, record.diagnosis) == ("error", GRADER)


def test_a_sandbox_that_does_not_start_is_no_fault_of_an_exercise(monkeypatch):
    end = NoIsolation("no memory")
    with pytest.raises(NoIsolation):
        graded(monkeypatch, answer(KL, RIGHT), sandbox=Ending(gaussian_kl=end))


def test_who_uses_a_wrong_answer_is_sent_to_mend_that_first(monkeypatch):
    wrong = WRONG[KL]["HALF"]
    records = graded(monkeypatch, answer(KL, wrong), answer(DRAW, "return mu", depends=(KL, STEP)))
    assert f"depends:{KL}" in records[DRAW].flags
    assert f"depends:{STEP}" not in records[DRAW].flags  # of another lesson, or not posed
    assert records[DRAW].message.endswith("mend that first.") and KL in records[DRAW].message


def test_a_right_answer_is_not_blamed_for_what_it_uses(monkeypatch):
    right = "return mu + (logvar / 2).exp() * torch.randn_like(mu)"
    records = graded(monkeypatch, answer(KL, WRONG[KL]["HALF"]), answer(DRAW, right, depends=(KL,)))
    assert records[DRAW].flags == ("UNSANDBOXED",)
    records = graded(monkeypatch, answer(KL, RIGHT), answer(DRAW, "return mu", depends=(KL,)))
    assert records[DRAW].flags == ("UNSANDBOXED",)


def test_neither_the_name_of_a_case_nor_its_answer_crosses(monkeypatch):
    asked = []

    class Listening(Inside):
        @contextmanager
        def run(self, program):
            with super().run(program) as run:
                yield SimpleNamespace(
                    ask=lambda case, seed: asked.append((case, seed)) or run.ask(case, seed)
                )

    graded(monkeypatch, answer(KL, RIGHT), sandbox=Listening())
    cases = judging._cases(KL, 3)
    assert len(asked) == len(cases) > 3  # all of them
    assert any(case.name for case in cases)
    assert {(case.name, seed) for case, seed in asked} == {("", 3)}


def test_another_seed_asks_other_questions():
    one, other = judging._cases(KL, 1), judging._cases(KL, 2)
    assert any(not a.inputs["mu"].equal(b.inputs["mu"]) for a, b in zip(one, other, strict=True))
    assert judging._cases(KL, 1) is one


def test_what_says_stop_ends_the_submission(monkeypatch):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    with pytest.raises(Stop):
        graded(monkeypatch, answer(KL, RIGHT), going_on=stop)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """Return one real sandbox for several submissions, or skip."""
    try:
        tier = choose_tier()
    except NoIsolation as error:
        pytest.skip(str(error))
    with Sandbox(tier, write_package(tmp_path_factory.mktemp("package"))) as opened:
        yield opened


def handed_in(folder, notebook):
    """Return a notebook of lesson 06 as the intake finds it."""
    hand_in(folder, "ada", "06", notebook)
    (submission,) = gather(folder, lessons=LESSONS).submissions
    return submission


def test_in_a_real_sandbox_a_solved_notebook_is_right(tmp_path, sandbox):
    submission = handed_in(tmp_path, solved("06"))
    records = grade_submission(submission, LESSONS["06"], sandbox, seed=5)
    assert {(r.status, r.points, r.tier) for r in records} == {("correct", 1.0, sandbox.tier.name)}
    assert all(not r.flags and r.answer for r in records)


@pytest.mark.parametrize(
    "kl, draw", [("HALF", "STD"), ("shape", "NO_SIGMA"), ("none", ""), ("raises", "")]
)
def test_in_a_real_sandbox_wrong_answers_get_the_verdicts_of_the_check(tmp_path, sandbox, kl, draw):
    bodies = {KL: WRONG[KL][kl]} | ({DRAW: WRONG[DRAW][draw]} if draw else {})
    notebook = answered(solved("06"), bodies)
    submission = handed_in(tmp_path, notebook)
    records = grade_submission(submission, only(KL, DRAW), sandbox, seed=5)
    for record, code in zip(records, (kl, draw), strict=True):
        verdict = check(specification(record.exercise), in_notebook(notebook, record), seed=5)
        assert record.diagnosis == verdict.code == code
        assert record.message == (verdict.sentence if code else "")


def only(*ids):
    """Return lesson 06 with some of its exercises."""
    items = tuple(item for item in LESSONS["06"].exercises if item.id in ids)
    return replace(LESSONS["06"], exercises=items)


def in_notebook(notebook, record):
    """Return an answer as the notebook defines it, below its decorator."""
    (source,) = [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if f'@exercise("{record.exercise}")' in "".join(cell["source"])
    ]
    name = f"<cell of {record.exercise} {record.answer}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    names = {"torch": torch, "Tensor": torch.Tensor, "exercise": lambda id: lambda answer: answer}
    exec(compile(source, name, "exec"), names)
    return names[record.exercise.partition(".")[2]]


def test_a_starter_needs_no_sandbox(tmp_path):
    class Closed(Inside):
        def run(self, program):
            raise AssertionError("an answer would have run")

    submission = handed_in(tmp_path, starter("06"))
    records = grade_submission(submission, LESSONS["06"], Closed(), seed=5)
    assert {(r.status, r.tier) for r in records} == {("not_attempted", "")}


def test_every_exercise_of_the_course_has_a_specification():
    for lesson in LESSONS.values():
        assert {item.id for item in lesson.exercises} == {
            item.id for item in of_lesson(lesson.number)
        }
