"""Exercise: which networks a step has moved, and how far."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_09 as probes
from genimg_course.probing.case import Case
from genimg_course.training.watching import moves

__all__ = ["SPECIFICATION"]

Networks = Mapping[str, nn.Module]


def _cases(rng: torch.Generator) -> list[Case]:
    def step(generator: float, discriminator: float) -> dict[str, Tensor]:
        size = torch.tensor([generator, discriminator])
        return {
            "weights": normal(rng, 2, 3, 2),
            "biases": normal(rng, 2, 3),
            "weight_changes": normal(rng, 2, 3, 2) * size.view(2, 1, 1),
            "bias_changes": normal(rng, 2, 3) * size.view(2, 1),
        }

    bias = step(0.0, 0.5)
    bias["weight_changes"].zero_()
    cancelling = step(0.3, 0.0)
    cancelling["weight_changes"][0, 1] = -cancelling["weight_changes"][0, 0]
    return [
        Case(step(0.1, 0.0), name="a step that moves the first network"),
        Case(step(0.1, 0.4), name="a step that moves both"),
        Case(step(0.0, 0.0), name="a step that moves nothing"),
        Case(bias, name="a step that moves biases only"),
        Case(cancelling, name="changes of both signs"),
        Case({k: v.float() for k, v in step(0.2, 0.7).items()}, name="float32 networks"),
    ]


def _flat(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def _by(measure: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., dict[str, Tensor]]:
    """Make an answer that runs the step rightly and measures in some other way."""

    def answer(step: Callable[[], Any], networks: Networks) -> dict[str, Tensor]:
        before = {name: _flat(network) for name, network in networks.items()}
        step()
        return {name: measure(before[name], _flat(net)) for name, net in networks.items()}

    return answer


def _without_copy(step: Callable[[], Any], networks: Networks) -> dict[str, Tensor]:
    before = {name: [p.detach() for p in net.parameters()] for name, net in networks.items()}
    step()
    return {
        name: torch.cat(
            [
                (p.detach() - b).flatten()
                for p, b in zip(net.parameters(), before[name], strict=True)
            ]
        ).norm()
        for name, net in networks.items()
    }


def _without_step(step: Callable[[], Any], networks: Networks) -> dict[str, Tensor]:
    return {name: _flat(network).norm() * 0 for name, network in networks.items()}


def _twice(step: Callable[[], Any], networks: Networks) -> dict[str, Tensor]:
    before = {name: _flat(network) for name, network in networks.items()}
    step()
    step()
    return {name: (_flat(net) - before[name]).norm() for name, net in networks.items()}


def _gradients(step: Callable[[], Any], networks: Networks) -> dict[str, Tensor]:
    step()
    return {
        name: torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]).norm()
        for name, net in networks.items()
    }


SPECIFICATION = Specification(
    id="clinic.moves",
    title="Which networks a step has moved",
    reference=moves,
    cases=_cases,
    probe=probes.moves,
    sentences={"statistic:calls": "The step must be run once, no more and no less."},
    misconceptions=(
        Misconception(
            "NO_COPY",
            _without_copy,
            "The old parameters were kept without a copy, so they change together with the new "
            "ones and the difference is always zero.",
        ),
        Misconception(
            "GRADIENT",
            _gradients,
            "This is the length of the gradient. A parameter may have a gradient and stay where it "
            "is; what the optimiser does not hold does not move.",
        ),
        Misconception(
            "SIGNED",
            _by(lambda before, after: (after - before).sum()),
            "The changes are added with their signs, so that they can cancel.",
        ),
        Misconception(
            "LARGEST",
            _by(lambda before, after: (after - before).abs().max()),
            "This is the largest change of one parameter. Asked for is the length of the whole "
            "change.",
        ),
        Misconception(
            "ROOT_MEAN",
            _by(lambda before, after: (after - before).square().mean().sqrt()),
            "This is a mean over the parameters. A length is a sum of squares under the root.",
        ),
        Misconception(
            "LENGTHS",
            _by(lambda before, after: after.norm() - before.norm()),
            "This is the difference of two lengths. A vector can turn and keep its length.",
        ),
        Misconception(
            "FIRST",
            _by(lambda before, after: (after - before)[:6].norm()),
            "Only the first tensor of each network is watched. Biases are parameters too.",
        ),
        Misconception(
            "NO_STEP",
            _without_step,
            "The step was never run, so nothing could move.",
        ),
        Misconception(
            "TWICE",
            _twice,
            "The step was run twice. One call is one step.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the lengths of the changes of two networks, in float32 and float64, for "
            "steps that move one, both, none, or only biases; and that the step is run once."
        ),
        place=(
            "Copy all parameters of each network before the step. After it, put all differences in "
            "one long vector and take its length."
        ),
        example=(
            "A step that does nothing moves nothing. Run this:\n"
            '>>> moves(lambda: None, {"judge": torch.nn.Linear(2, 1)})\n'
            "{'judge': tensor(0.)}"
        ),
        question="If you keep a parameter without a copy, what does it hold after the step?",
        analogue=(
            "With other numbers: a weight that moves by 3 and a bias that moves by -4 make a "
            "change of length 5."
        ),
    ),
)
