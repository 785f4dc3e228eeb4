"""The alarms ring where they should, and only there."""

import math

import pytest
import torch

from genimg_course import data
from genimg_course.metrics import load_judge
from genimg_course.models import Discriminator, Generator
from genimg_course.reference.alarms import discriminator_won, exploded, lost_classes
from genimg_course.training import gan_step


def test_a_loss_that_grows_a_thousandfold_has_exploded():
    sentence = exploded("g_loss", [0.7] * 10 + [5.0] * 30 + [700.0] * 10)
    assert sentence.startswith("g_loss has exploded: about 700 now, 0.7 at the start")


@pytest.mark.parametrize(
    "values",
    [
        [0.7] * 100,
        [180.0] * 20 + [40.0] * 20,  # a VAE that learns
        [0.02] * 20 + [9.0] * 20,  # its KL term
        [0.0] * 10 + [12.0] * 10,  # a Wasserstein estimate
        [0.7] * 30 + [1e6] * 4 + [0.7] * 6,  # one bad moment
        [0.7] * 10 + [1e6] * 9,  # too early to tell
        [],
    ],
)
def test_a_loss_that_behaves_rings_no_bell(values):
    assert exploded("loss", values) is None


def test_large_negative_values_explode_too():
    assert exploded("wasserstein", [1.0] * 10 + [-1e4] * 10)


def test_lost_classes_are_named_by_name_or_number():
    assert lost_classes([0.2, 0.8, 0.0, 0.0]).startswith("classes 2, 3 are lost: under 1 %")
    assert lost_classes([0.995, 0.005], ["cat", "dog"]).startswith("class dog is lost")
    assert lost_classes([math.nan, 1.0]).startswith("class 0 is lost")
    assert lost_classes([0.01, 0.99]) is None


def test_a_discriminator_that_never_errs_has_won():
    assert discriminator_won([1.4] * 50 + [1e-3] * 50).startswith("the discriminator has won")
    assert discriminator_won([1e-3] * 99) is None  # at the start it often leads
    assert discriminator_won([1e-3] * 100 + [0.5] * 50) is None  # and is caught up with
    assert discriminator_won([2 * math.log(2)] * 500) is None


def test_a_generator_that_really_collapsed_is_found():
    torch.manual_seed(0)
    judge = load_judge("glyphs", 16)
    digits = data.load("glyphs", size=16, count=500)
    real = data.to_model_range(digits.images)
    assert lost_classes(judge.class_shares(real).tolist()) is None
    # against a discriminator that stands still, the generator falls into its one favourite picture
    generator, discriminator = Generator(8, width=8), Discriminator(width=8)
    opt_g = torch.optim.Adam(generator.parameters(), lr=5e-3)
    opt_d = torch.optim.SGD(discriminator.parameters(), lr=0.0)
    for n in range(60):
        gan_step(generator, discriminator, opt_g, opt_d, real[n : n + 32])
    with torch.no_grad():
        shares = judge.class_shares(generator(torch.randn(200, 8)))
    assert lost_classes(shares.tolist()) is not None
