"""Exercise: where the class enters a conditional VAE."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import integers, normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.conditional_codes import route_condition
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        count: int, channels: int, side: int, latents: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        x = uniform(rng, count, channels, side, side + 1, low=-1.0, dtype=dtype)
        y = integers(rng, count, high=3)
        y[0] = 2  # a class that is not its own index as a number
        return {"x": x, "z": normal(rng, count, latents, dtype=dtype), "y": y}

    return [
        Case(batch(4, 1, 2, 3), {"classes": 3}),
        Case(batch(3, 3, 2, 2), {"classes": 5}, name="colour"),
        Case(batch(1, 1, 3, 4), {"classes": 4}, name="one image"),
        Case(batch(5, 2, 2, 1, torch.float32), {"classes": 3}, name="float32 inputs"),
    ]


def _planes(x: Tensor, one_hot: Tensor) -> Tensor:
    return one_hot.to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])


def _routes(x: Tensor, z: Tensor, one_hot: Tensor) -> dict[str, Tensor]:
    return {
        "encoder": torch.cat([x, _planes(x, one_hot)], dim=1),
        "decoder": torch.cat([z, one_hot.to(z)], dim=1),
    }


def _encoder_only(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    return {**_routes(x, z, F.one_hot(y, classes)), "decoder": z.clone()}


def _silent(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    right = _routes(x, z, F.one_hot(y, classes))
    return {**right, "decoder": torch.cat([z, z.new_zeros(len(z), classes)], dim=1)}


def _decoder_only(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    return {**_routes(x, z, F.one_hot(y, classes)), "encoder": x.clone()}


def _number(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    return _routes(x, z, y[:, None])


def _corner(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    one_hot = F.one_hot(y, classes)
    planes = torch.zeros_like(_planes(x, one_hot))
    planes[:, :, 0, 0] = one_hot.to(x)
    return {**_routes(x, z, one_hot), "encoder": torch.cat([x, planes], dim=1)}


def _front(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    one_hot = F.one_hot(y, classes)
    return {
        "encoder": torch.cat([_planes(x, one_hot), x], dim=1),
        "decoder": torch.cat([one_hot.to(z), z], dim=1),
    }


def _neighbour(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    return _routes(x, z, F.one_hot(y, classes).roll(1, dims=1))


SPECIFICATION = Specification(
    id="vae.route_condition",
    title="Where the class enters",
    reference=route_condition,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ENCODER_ONLY",
            _encoder_only,
            "The decoder never hears of the class, so nobody can ask it for one: the code alone "
            "decides what is drawn. The bound has `log p(x | z, y)` in it.",
        ),
        Misconception(
            "SILENT",
            _silent,
            "The decoder gets zeros where the class belongs, so it cannot tell the classes "
            "apart. Which class was asked for?",
        ),
        Misconception(
            "DECODER_ONLY",
            _decoder_only,
            "The encoder does not see the class. It has to guess the causes that fit this picture "
            "*and* this class: the bound has `q(z | x, y)` in it.",
        ),
        Misconception(
            "NUMBER",
            _number,
            "The class enters as one number, as if class 8 were eight times class 1. Classes have "
            "no order: give each one a place of its own.",
        ),
        Misconception(
            "CORNER",
            _corner,
            "The class stands in one corner of its planes. A convolution that looks elsewhere "
            "does not see it: fill the planes.",
        ),
        Misconception(
            "FRONT",
            _front,
            "The class stands first. That would work as well, but here the image and the code "
            "come first and the class follows.",
        ),
        Misconception(
            "NEIGHBOUR",
            _neighbour,
            "Each picture gets the label of the next class. Do the classes count from 0 or from 1?",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are both results: their shapes `(B, C + K, H, W)` and `(B, Z + K)`, their "
            "values and their dtype."
        ),
        place=(
            "Write the class as a one-hot row. The encoder works on images, so each of the `K` "
            "numbers becomes a whole plane; the decoder works on rows."
        ),
        example=(
            "Class 1 of 2, one pixel and one latent: the encoder sees the pixel, then 0 and 1; "
            "the decoder sees the code, then 0 and 1. Run this:\n"
            ">>> x, z, y = torch.ones(1, 1, 1, 1), torch.full((1, 1), 5.0), torch.tensor([1])\n"
            ">>> seen = route_condition(x, z, y, classes=2)\n"
            ">>> seen['encoder'].flatten().tolist(), seen['decoder'].flatten().tolist()\n"
            "([1.0, 0.0, 1.0], [5.0, 0.0, 1.0])"
        ),
        question=(
            "Look at the bound on `log p(x | y)`: behind which bars does `y` stand, and which "
            "network stands for each of them?"
        ),
        analogue=(
            "A translator and a typesetter get a page and the name of its language. If only the "
            "translator knows the language, the typesetter cannot choose the alphabet."
        ),
    ),
)
