"""Lesson 06: wrong answers that nobody foresaw are told what fails."""

import math

import pytest
import torch
from answers.lesson_06 import kl_by_loop, nll_by_library, step_by_parts
from exercise_answers import codes

from genimg_course.exercises import check
from genimg_course.exercises.lesson_06 import SPECIFICATIONS

BY_ID = {item.id: item for item in SPECIFICATIONS}


SPECIAL = [
    ("vae.step", "CLEARED", "NO_BACKWARD"),
    ("vae.step", "UNKNOWN_KEY", "keys"),
    ("vae.step", "DOUBLED", "change"),
    ("vae.reparameterise", "SHIFTED", "statistic"),
    ("vae.reparameterise", "LAPLACE", "statistic"),
    ("vae.reparameterise", "HALF_GRADIENT", "gradient"),
    ("vae.importance_log_likelihood", "SQUARE_ONLY", "shape"),
]


def cleared(model, optimizer, x, beta=1.0):
    logits, mu, logvar = model(x)
    rec, kl = nll_by_library(logits, (x + 1) / 2).mean(), kl_by_loop(mu, logvar).mean()
    (rec + beta * kl).backward()
    optimizer.zero_grad()
    optimizer.step()
    return {
        "negative_elbo": (rec + beta * kl).detach(),
        "reconstruction": rec.detach(),
        "kl": kl.detach(),
    }


def doubled(model, optimizer, x, beta=1.0):
    logits, mu, logvar = model(x)
    rec, kl = nll_by_library(logits, (x + 1) / 2).mean(), kl_by_loop(mu, logvar).mean()
    optimizer.zero_grad()
    (2 * (rec + beta * kl)).backward()
    optimizer.step()
    return {
        "negative_elbo": (rec + beta * kl).detach(),
        "reconstruction": rec.detach(),
        "kl": kl.detach(),
    }


def laplace(mu, logvar):
    noise = torch.distributions.Laplace(torch.zeros_like(mu), 0.5**0.5).sample()
    return mu + (logvar / 2).exp() * noise


def half_gradient(mu, logvar):
    eps = torch.randn_like(mu)
    return mu + (logvar / 2).exp() * eps / 2 + (logvar.detach() / 2).exp() * eps / 2


OTHER_WRONG = {
    "CLEARED": cleared,
    "UNKNOWN_KEY": lambda *args, **options: {
        "loss": step_by_parts(*args, **options)["negative_elbo"]
    },
    "DOUBLED": doubled,
    "SHIFTED": lambda mu, logvar: mu + (logvar / 2).exp() * (torch.randn_like(mu) + 0.05),
    "LAPLACE": laplace,
    "HALF_GRADIENT": half_gradient,
    "SQUARE_ONLY": lambda joint, q: (
        torch.logsumexp(joint - q, dim=0, keepdim=True) - math.log(len(q))
    ),
}


@pytest.mark.parametrize("id, answer, code", SPECIAL)
def test_an_unforeseen_wrong_answer_is_told_what_fails(id, answer, code):
    assert codes(BY_ID[id], OTHER_WRONG[answer]) == {code}


def test_a_step_twice_as_long_is_called_so():
    verdict = check(BY_ID["vae.step"], doubled)
    assert "parameters of the encoder move" in verdict.sentence
    assert "2 times too large" in verdict.sentence
