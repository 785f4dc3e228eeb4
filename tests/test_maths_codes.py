"""Codes: their distance from the standard normal, and changes that no picture shows."""

import math

import pytest
import torch

from genimg_course.maths import code_mismatch, recode


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_mismatch_of_one_latent_has_the_known_value():
    codes = torch.tensor([[-1.0], [3.0]])  # mean 1, variance 4
    assert code_mismatch(codes).item() == pytest.approx(0.5 * (4 + 1 - 1 - math.log(4)))


def test_whitened_codes_are_at_distance_zero():
    z = normal(50, 3)
    z = z - z.mean(dim=0)
    white = z @ torch.linalg.inv(torch.linalg.cholesky(z.T @ z / len(z))).T
    assert code_mismatch(white).item() == pytest.approx(0, abs=1e-12)


def test_a_change_of_code_changes_no_reconstruction():
    encoder, decoder, change = normal(2, 5), normal(5, 2, seed=1), normal(2, 2, seed=2)
    new_encoder, new_decoder = recode(encoder, decoder, change)
    torch.testing.assert_close(new_decoder @ new_encoder, decoder @ encoder)
    torch.testing.assert_close(new_encoder, change @ encoder)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: code_mismatch(torch.zeros(3, 3)), "3 codes of length 3"),
        (lambda: code_mismatch(torch.full((4, 2), math.nan)), "8 values"),
        (lambda: recode(torch.zeros(2, 5), torch.zeros(5, 3), torch.eye(2)), "(5, 3)"),
        (lambda: recode(torch.zeros(2, 5), torch.zeros(5, 2), torch.eye(3)), "(3, 3)"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
