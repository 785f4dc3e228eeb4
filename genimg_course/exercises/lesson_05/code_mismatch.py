"""Exercise: how far the codes of an autoencoder are from a standard normal law."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.codes import code_mismatch
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def codes(count: int, dims: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        mixing = 0.6 * normal(rng, dims, dims) + 1.5 * torch.eye(dims, dtype=torch.float64)
        z = normal(rng, count, dims) @ mixing + 0.5 + normal(rng, dims)
        return {"codes": z.to(dtype)}

    return [
        Case(codes(12, 2)),
        Case(codes(20, 3)),
        Case(codes(30, 4)),
        Case(codes(15, 3, torch.float32), name="float32 inputs"),
    ]


def _moments(codes: Tensor) -> tuple[Tensor, Tensor]:
    return codes.mean(dim=0), torch.cov(codes.T, correction=0)


def _terms(mean: Tensor, cov: Tensor) -> Tensor:
    return 0.5 * (cov.trace() + mean.square().sum() - len(mean) - torch.logdet(cov))


def _diagonal(codes: Tensor) -> Tensor:
    mean, cov = _moments(codes)
    return _terms(mean, cov.diagonal().diag())


def _reverse(codes: Tensor) -> Tensor:
    mean, cov = _moments(codes)
    inverse = torch.linalg.inv(cov)
    return 0.5 * (inverse.trace() + mean @ inverse @ mean - len(mean) + torch.logdet(cov))


def _plus_logdet(codes: Tensor) -> Tensor:
    mean, cov = _moments(codes)
    return _terms(mean, cov) + torch.logdet(cov)


SPECIFICATION = Specification(
    id="autoencoder.code_mismatch",
    title="Codes against the standard normal",
    reference=code_mismatch,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ASSUMED",
            lambda codes: codes.new_zeros(()),
            "This takes for granted that the codes follow the standard normal law. Nothing in the "
            "training said so: measure their mean and their covariance.",
        ),
        Misconception(
            "DIAGONAL",
            _diagonal,
            "The covariances between latents are left out. Latents may each look right while "
            "together they fill only a slanted sheet.",
        ),
        Misconception(
            "NO_MEAN",
            lambda codes: _terms(0 * codes[0], torch.cov(codes.T, correction=0)),
            "The mean of the codes is left out. A cloud of the right shape in the wrong place "
            "would pass for a standard normal.",
        ),
        Misconception(
            "REVERSED",
            _reverse,
            "The two laws are exchanged. The average goes over the law of the codes, which stands "
            "first.",
        ),
        Misconception(
            "LOGDET_SIGN",
            _plus_logdet,
            "The logarithm of the determinant has the wrong sign. Codes squeezed into a thin "
            "sheet are far from the standard normal, and the distance must grow.",
        ),
        Misconception(
            "NO_HALF",
            lambda codes: 2 * _terms(*_moments(codes)),
            "The one half is missing. It stands in front of every term of a Gaussian log density.",
        ),
        Misconception(
            "UNBIASED",
            lambda codes: _terms(codes.mean(dim=0), torch.cov(codes.T)),
            "The covariance divides by one less than the number of codes. That is the estimate "
            "for an unseen law; here the Gaussian with the moments of these codes is asked for.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one number in nats, zero only for codes whose mean is zero and whose "
            "covariance is the identity."
        ),
        place=(
            "Mean and covariance of the codes, the covariance dividing by their number. Then the "
            "displayed formula: a trace, a squared length, a count, a log determinant."
        ),
        example=(
            "Codes at -1 and 3: mean 1, variance 4, and half of 4 + 1 - 1 - log 4. Run this:\n"
            ">>> code_mismatch(torch.tensor([[-1.0], [3.0]]))\n"
            "tensor(1.3069)"
        ),
        question=(
            "Which three things can differ between a cloud of codes and a round cloud of radius "
            "one at the origin, and which term sees each?"
        ),
        analogue=(
            "One latent, mean 3 and variance 1: half of 1 + 9 - 1 - 0 = 4.5 nats. Mean 0 and "
            "variance 0.01: half of 0.01 - 1 + 4.605 = 1.81 nats."
        ),
    ),
)
