"""Lesson 13: wrong answers that nobody foresaw are told what fails."""

import torch
from answers.lesson_13 import step_by_hand, step_with_fresh_noise

from genimg_course.exercises import check
from genimg_course.exercises.lesson_13 import SPECIFICATIONS

BY_ID = {item.id: item for item in SPECIFICATIONS}


def test_a_step_that_leaves_a_network_where_it_was_is_called_so():
    def forgetful(generator, discriminator, opt_g, opt_d, x, y, gamma=0.0):
        idle = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        return step_by_hand(generator, discriminator, opt_g, idle, x, y, gamma=gamma)

    verdict = check(BY_ID["cgan.step"], forgetful)
    assert verdict.code == "moved"
    assert verdict.sentence.startswith(
        "After the step the parameters of the discriminator are what"
    )


def test_an_answer_that_returns_floats_is_told_the_type():
    def floats(*args, **options):
        return {name: loss.item() for name, loss in step_with_fresh_noise(*args, **options).items()}

    verdict = check(BY_ID["cgan.step"], floats)
    assert verdict.code == "type"
    assert "`dict` of `float`" in verdict.sentence
