"""Exercise: the best linear decoder for an encoder that nobody trained."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.principal import best_decoder
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pair(latents: int, dims: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        # a spread of variances, and a cloud of many points, keep the problem well posed
        x = normal(rng, 8 * dims, dims) * torch.linspace(0.5, 2.0, dims, dtype=torch.float64)
        x = x @ torch.linalg.qr(normal(rng, dims, dims)).Q
        turn = torch.linalg.qr(normal(rng, max(latents, dims), max(latents, dims))).Q
        encoder = 1.5 * turn[:latents, :dims] + 0.2 * normal(rng, latents, dims)
        return {"encoder": encoder.to(dtype), "cov": (x.T @ x / len(x)).to(dtype)}

    return [
        Case(pair(2, 5)),
        Case(pair(1, 4)),
        Case(pair(3, 6)),
        Case(pair(6, 4), name="a code longer than the input"),
        Case(pair(2, 4, torch.float32), name="float32 inputs"),
    ]


def _weighted(encoder: Tensor, weight: Tensor) -> Tensor:
    crossed = weight @ encoder.T
    return crossed @ torch.linalg.pinv(encoder @ crossed, hermitian=True, rtol=1e-5)


SPECIFICATION = Specification(
    id="autoencoder.best_decoder",
    title="The best decoder for a fixed encoder",
    reference=best_decoder,
    cases=_cases,
    rtol=1e-5,
    atol=1e-5,
    misconceptions=(
        Misconception(
            "TIED",
            lambda encoder, cov: encoder.T.clone(),
            "The transposed encoder undoes it only where its rows are orthonormal. Nobody made "
            "these rows so.",
        ),
        Misconception(
            "PSEUDO_INVERSE",
            lambda encoder, cov: torch.linalg.pinv(encoder),
            "The pseudo-inverse of the encoder is best where all directions of the input vary "
            "equally. These do not: where is their covariance?",
        ),
        Misconception(
            "INVERSE_COV",
            lambda encoder, cov: _weighted(encoder, torch.linalg.inv(cov)),
            "The inverse covariance stands where the covariance belongs. A direction that varies "
            "much must count much.",
        ),
        Misconception(
            "NO_CODE_COV",
            lambda encoder, cov: cov @ encoder.T,
            "This is the covariance of input and code alone. Regression divides it by the "
            "covariance of the code.",
        ),
        Misconception(
            "NO_CROSS",
            lambda encoder, cov: (
                encoder.T @ torch.linalg.pinv(encoder @ cov @ encoder.T, hermitian=True, rtol=1e-5)
            ),
            "The covariance of the code is there, but that of input and code lacks the covariance "
            "of the inputs.",
        ),
        Misconception(
            "RIDGE",
            lambda encoder, cov: (
                cov
                @ encoder.T
                @ torch.linalg.inv(
                    encoder @ cov @ encoder.T
                    + torch.eye(len(encoder), dtype=cov.dtype, device=cov.device)
                )
            ),
            "An identity matrix is added to the covariance of the code. That is ridge regression: "
            "the sum can always be inverted, but the answer shrinks.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is a matrix that maps codes to inputs, for short codes and for one that is "
            "longer than the input."
        ),
        place=(
            "Linear regression of the input on the code: the covariance of input and code, times "
            "the inverse of the covariance of the code. A long code needs the pseudo-inverse."
        ),
        example=(
            "The code is the sum of two pixels, and the first varies three times as much. It "
            "gets three quarters of the sum. Run this:\n"
            ">>> best_decoder(torch.tensor([[1.0, 1.0]]), torch.diag(torch.tensor([3.0, 1.0])))\n"
            "tensor([[0.7500],\n"
            "        [0.2500]])"
        ),
        question=(
            "You know the code and the covariance of the inputs. What is your best guess of an "
            "input, and what is the covariance of input and code?"
        ),
        analogue=(
            "Predict height from weight: the slope is the covariance of the two divided by the "
            "variance of weight. A covariance of 8 and a variance of 16 give the slope one half."
        ),
    ),
)
