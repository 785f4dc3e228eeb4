"""Exercise: where the two players of the smallest GAN move."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.games import dirac_field
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def places(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {
            "theta": normal(rng, *shape, dtype=dtype),
            "psi": normal(rng, *shape, dtype=dtype),
        }

    return [
        Case(places(6), {"gamma": 0.0}),
        Case(places(5), {"gamma": 0.7}),
        Case(places(2, 3), {"gamma": 2.0}, name="a grid of places"),
        Case(places(), {"gamma": 0.4}, name="a single place"),
        Case({k: 40 * v for k, v in places(4).items()}, {"gamma": 1.0}, name="far from balance"),
        Case(places(4, dtype=torch.float32), {"gamma": 0.3}, name="float32 inputs"),
    ]


def _pair(theta: Tensor, psi: Tensor) -> Tensor:
    return torch.stack([theta, psi], dim=-1)


def _real(theta: Tensor, psi: Tensor) -> Tensor:
    """Return what the discriminator says of the generated point: its probability of being real."""
    return torch.sigmoid(psi * theta)


SPECIFICATION = Specification(
    id="gan.dirac_field",
    title="Where the two players of the Dirac-GAN move",
    reference=dirac_field,
    cases=_cases,
    misconceptions=(
        Misconception(
            "UPHILL",
            lambda theta, psi, gamma=0.0: -dirac_field(theta, psi, gamma=gamma),
            "Both players move the wrong way. These are the gradients of their losses, and each "
            "player goes down its own loss.",
        ),
        Misconception(
            "SATURATING",
            lambda theta, psi, gamma=0.0: dirac_field(theta, psi, gamma=gamma, saturating=True),
            "This generator minimises log(1 - D), the zero-sum game. Asked for is the one that "
            "minimises -log D, and the derivatives of the two differ away from the balance.",
        ),
        Misconception(
            "SAME_SIDE",
            lambda theta, psi, gamma=0.0: _pair(
                psi * (1 - _real(theta, psi)), theta * _real(theta, psi) - gamma * psi
            ),
            "Here both players want the same: the discriminator calls the generated point more "
            "real. It should call it less real.",
        ),
        Misconception(
            "REWARD",
            lambda theta, psi, gamma=0.0: dirac_field(theta, psi, gamma=-gamma),
            "The penalty drives the slope away from zero. It is part of a loss that is "
            "minimised, so which way does it push the slope?",
        ),
        Misconception(
            "NO_HALF",
            lambda theta, psi, gamma=0.0: dirac_field(theta, psi, gamma=2 * gamma),
            "The penalty pushes twice as hard as it should. It is half of gamma times the squared "
            "slope: what does the half do in the derivative?",
        ),
        Misconception(
            "NOT_SQUARED",
            lambda theta, psi, gamma=0.0: (
                dirac_field(theta, psi) - 0.5 * gamma * _pair(torch.zeros_like(psi), psi.sign())
            ),
            "This is the derivative of the norm of the slope, not of its square. The norm pushes "
            "with full force however small the slope is.",
        ),
        Misconception(
            "BOTH_PENALISED",
            lambda theta, psi, gamma=0.0: (
                dirac_field(theta, psi, gamma=gamma) - gamma * _pair(theta, torch.zeros_like(psi))
            ),
            "The generator is pulled by the penalty too. R1 belongs to the discriminator's loss; "
            "the generator does not see it.",
        ),
        Misconception(
            "LINEAR",
            lambda theta, psi, gamma=0.0: _pair(0.5 * psi, -0.5 * theta - gamma * psi),
            "This is the field near the balance, where the sigmoid is one half. Farther away the "
            "discriminator's answer changes with the place.",
        ),
    ),
    hints=Hints(
        property="Checked are the two directions at many places, for several weights gamma.",
        place=(
            "Write the two losses as functions of theta and psi, differentiate each by its "
            "player's own number, and turn the sign: a player goes downhill."
        ),
        example=(
            "Without a slope the generator has nothing to follow, and the discriminator turns "
            "against the generated point. Run this:\n"
            ">>> dirac_field(torch.tensor(1.0), torch.tensor(0.0), gamma=1.0)\n"
            "tensor([ 0.0000, -0.5000])"
        ),
        question=(
            "The generator's loss is softplus(-psi theta). What is the derivative of softplus, and "
            "what does the chain rule add for theta?"
        ),
        analogue=(
            "With another loss: if the discriminator maximised psi theta minus psi squared, it "
            "would move by theta - 2 psi, and a generator that minimises psi theta by -psi."
        ),
    ),
)
