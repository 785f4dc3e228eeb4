"""Exercise: find the layers that break DCGAN's rules."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.models.rules import RULES, broken_rules
from genimg_course.probing import lesson_12 as probes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

_GENERATORS = (
    "dense norm1 relu up norm relu up tanh",
    "dense relu dense relu up norm leaky grow up norm tanh",
    "up norm leaky up norm elu up norm",
    "dense leak.01 up relu conv sigmoid",
    "dense norm1 relu up leaky tanh",
)
_DISCRIMINATORS = (
    "conv leaky conv norm leaky flat dense",
    "norm conv leak.01 pool conv norm leaky flat dense",
    "conv norm leaky conv norm relu mean flat dense leak.1 dense sigmoid",
    "norm conv norm leaky conv flat dense tanh dense relu dense",
    "conv leaky conv norm",
)


def _cases(rng: torch.Generator) -> list[Case]:
    del rng  # the networks are chosen so that every rule is broken, and kept
    made = [Case({"layers": text}, {"role": "generator"}) for text in _GENERATORS]
    seen = [Case({"layers": text}, {"role": "discriminator"}) for text in _DISCRIMINATORS]
    nested = "[ conv norm leak.01 ] [ conv [ norm relu ] ] flat dense"
    return [
        *made,
        *seen,
        Case({"layers": nested}, {"role": "discriminator"}, name="layers inside blocks"),
        Case({"layers": _GENERATORS[0]}, {"role": "generator", "beta1": 0.9}, name="beta1 = 0.9"),
    ]


def _changed(change: Callable[..., dict[str, int]]) -> Callable[..., Any]:
    """Return the right linter with some counts replaced."""

    def wrong(network: nn.Module, *, role: str, beta1: float = 0.5) -> dict[str, int]:
        layers = [m for m in network.modules() if not list(m.children())]
        right = broken_rules(network, role=role, beta1=beta1)
        return {**right, **change(right, layers, role)}

    return wrong


def _without(rule: str) -> Callable[..., Any]:
    return _changed(lambda right, layers, role: {rule: 0})


def _norms_anywhere(right: Any, layers: list[nn.Module], role: str) -> dict[str, int]:
    return {"edge_norm": sum(isinstance(x, nn.BatchNorm2d | nn.BatchNorm1d) for x in layers)}


def _first_layer_only(right: Any, layers: list[nn.Module], role: str) -> dict[str, int]:
    edge = layers[0] if role == "discriminator" else layers[-1]
    return {"edge_norm": int(isinstance(edge, nn.BatchNorm2d | nn.BatchNorm1d))}


def _every_dense(right: Any, layers: list[nn.Module], role: str) -> dict[str, int]:
    return {"dense": sum(isinstance(layer, nn.Linear) for layer in layers)}


def _one_activation(right: Any, layers: list[nn.Module], role: str) -> dict[str, int]:
    if role == "generator":
        return {}
    return {"activation": sum(isinstance(layer, nn.LeakyReLU) for layer in layers)}


def _sigmoid_wanted(right: Any, layers: list[nn.Module], role: str) -> dict[str, int]:
    if role == "generator":
        return {}
    return {"output": int(not isinstance(layers[-1], nn.Sigmoid))}


def _top_level(network: nn.Module, *, role: str, beta1: float = 0.5) -> dict[str, int]:
    flat = nn.Sequential(*[m for m in network.children() if not list(m.children())])
    return broken_rules(flat, role=role, beta1=beta1)


def _yes_or_no(network: nn.Module, *, role: str, beta1: float = 0.5) -> dict[str, int]:
    return {k: min(v, 1) for k, v in broken_rules(network, role=role, beta1=beta1).items()}


SPECIFICATION = Specification(
    id="dcgan.broken_rules",
    title="A linter for DCGAN's rules",
    reference=broken_rules,
    cases=_cases,
    probe=probes.broken_rules,
    misconceptions=(
        Misconception(
            "NORM_ANYWHERE",
            _changed(_norms_anywhere),
            "Every batch normalisation is counted. DCGAN wants it in both networks; only the "
            "layers at the picture's edge go without.",
        ),
        Misconception(
            "NORM_FIRST_ONLY",
            _changed(_first_layer_only),
            "Only a normalisation that is the very first or last layer is counted. The one right "
            "behind the discriminator's first convolution, or between the generator's last "
            "convolution and its tanh, also normalises the picture's edge.",
        ),
        Misconception(
            "EVERY_DENSE",
            _changed(_every_dense),
            "Every linear layer is counted. The generator's first layer, which turns noise into a "
            "grid, and the discriminator's last, which gives the logit, are not hidden layers.",
        ),
        Misconception(
            "LEAKY_FORBIDDEN",
            _changed(_one_activation),
            "In the discriminator the leaky ReLU is what DCGAN asks for. Which activations are the "
            "odd ones there?",
        ),
        Misconception(
            "SIGMOID_WANTED",
            _changed(_sigmoid_wanted),
            "A sigmoid is asked for at the discriminator's end. Our losses take logits, so nothing "
            "must follow the last layer with weights.",
        ),
        Misconception(
            "TOP_LEVEL",
            _top_level,
            "Layers inside blocks are overlooked. Walk through the whole tree and keep the modules "
            "that have no children.",
        ),
        Misconception(
            "YES_OR_NO",
            _yes_or_no,
            "Each rule is reported once. Count how often it is broken: two pooling layers are two.",
        ),
        Misconception(
            "NO_MOMENTUM",
            _without("momentum"),
            "The optimiser's beta1 is not looked at. It is one of the rules, though it is no "
            "layer.",
        ),
        Misconception(
            "NO_SLOPE",
            _without("slope"),
            "The slope of the leaky ReLU is not looked at. Torch's default is not DCGAN's 0.2.",
        ),
    ),
    hints=Hints(
        property=(
            f"Checked is one count for each of {', '.join(RULES)}, for generators and "
            "discriminators that break some rules and keep others."
        ),
        place=(
            "First make a flat list of the modules without children, and the places of those with "
            "weights in it. Each rule is then one sum over a part of that list."
        ),
        example=(
            "This discriminator pools, and its leaky ReLU has torch's slope. Run this:\n"
            ">>> from torch import nn\n"
            ">>> layers = nn.Conv2d(1, 4, 3), nn.LeakyReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 1, 7)\n"
            ">>> found = broken_rules(nn.Sequential(*layers), role='discriminator')\n"
            ">>> sorted(name for name, count in found.items() if count)\n"
            "['pooling', 'slope']"
        ),
        question=(
            "Where in the flat list does the part of the network end that touches the picture: "
            "before which layer with weights in the discriminator, behind which one in the "
            "generator?"
        ),
        analogue=(
            "A spelling checker for numbers: of 3, 14, 15, 9, 26 count the even ones, those above "
            "10, and those at the edges that are odd: 2, 3, 1. Three rules, three sums."
        ),
    ),
)
