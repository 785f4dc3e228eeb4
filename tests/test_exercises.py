"""Every exercise of every lesson: right answers pass, known wrong ones get their own message."""

import importlib
import inspect

import pytest
from exercise_answers import GENERAL, codes, general, noisy, run_example, starter

from genimg_course.exercises import check
from genimg_course.exercises.registry import LESSONS, of_lesson

BY_ID = {item.id: item for lesson in LESSONS for item in of_lesson(lesson)}
WRONG = [(item.id, wrong.code) for item in BY_ID.values() for wrong in item.misconceptions]
RIGHT = {
    id: answers
    for lesson in LESSONS
    for id, answers in importlib.import_module(f"answers.lesson_{lesson}").RIGHT.items()
}


@pytest.mark.parametrize(
    "id, number", [(id, n) for id, some in RIGHT.items() for n in range(len(some))]
)
def test_a_right_answer_passes_with_every_seed(id, number):
    assert codes(BY_ID[id], noisy(RIGHT[id][number])) == {""}


@pytest.mark.parametrize("id, code", WRONG)
def test_a_misconception_gets_its_own_message(id, code):
    wrong = next(item for item in BY_ID[id].misconceptions if item.code == code)
    for seed in range(3):
        verdict = check(BY_ID[id], noisy(wrong.function), seed=seed)
        assert (verdict.code, verdict.sentence) == (code, wrong.message)


@pytest.mark.parametrize("id", BY_ID)
def test_the_starter_is_not_written(id):
    assert codes(BY_ID[id], starter, seeds=[0]) == {"not_written"}


@pytest.mark.parametrize("id", BY_ID)
@pytest.mark.parametrize("code", GENERAL)
def test_a_right_value_in_a_wrong_form_is_named(id, code):
    if code in ("dtype", "shape") and not _gives_tensors(id):
        pytest.skip("a plain number has neither")
    assert codes(BY_ID[id], general(BY_ID[id].reference, code), seeds=[0, 1]) == {code}


def _gives_tensors(id):
    return "Tensor" in str(inspect.signature(BY_ID[id].reference).return_annotation)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_right_and_wrong_answers_of_its_own(lesson):
    answers = importlib.import_module(f"answers.lesson_{lesson}").RIGHT
    assert answers.keys() == {item.id for item in of_lesson(lesson)}
    for item in of_lesson(lesson):
        assert len(answers[item.id]) >= 3
        assert len(item.misconceptions) >= 4


@pytest.mark.parametrize("id", BY_ID)
def test_the_counter_example_of_the_hints_runs_as_shown(id):
    result = run_example(BY_ID[id])
    assert result.attempted >= 1
    assert result.failed == 0
