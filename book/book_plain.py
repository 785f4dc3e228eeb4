"""The conditional GAN as plain numbers: the start page draws with them, and waits for no runtime.

Each of its four layers is a transposed convolution, in which every value of a small picture stamps
a patch, its weights, on a larger one. The first starts from a picture of one pixel. The last is an
ordinary convolution of stride 1, and that is a transposed one with its patch turned round.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from genimg_course.models import ConditionalGenerator

__all__ = ["PlainLayer", "plain_layers", "write_plain"]


@dataclass(frozen=True)
class PlainLayer:
    """Hold a layer in half precision, channels last, as the page reads it.

    Args:
        weight: a patch for each channel inside, ``(C_in, k, k, C_out)``.
        bias: for each channel outside, ``(C_out,)``, or for each place, ``(k, k, C_out)``.
        stride: from one patch to the next.
        margin: how much of the larger picture is cut off at each side.
    """

    weight: Tensor
    bias: Tensor
    stride: int
    margin: int


def write_plain(network: ConditionalGenerator, path: Path) -> None:
    """Write class vectors and layers as JSON; the numbers stand in base64, the low byte first."""
    layers = [
        {
            "inside": layer.weight.shape[0],
            "outside": layer.weight.shape[3],
            "kernel": layer.weight.shape[1],
            "stride": layer.stride,
            "margin": layer.margin,
            "weight": _packed(layer.weight),
            "bias": _packed(layer.bias),
        }
        for layer in plain_layers(network)
    ]
    whole = {"classes": _packed(network.class_vectors.weight.half()), "layers": layers}
    path.write_text(json.dumps(whole), encoding="utf-8")


def plain_layers(network: ConditionalGenerator) -> list[PlainLayer]:
    """Return what draws a picture from noise and a class vector, each layer before its activation.

    The activations are ReLU, and tanh at the end.
    """
    linear, unflatten, root_norm, _ = network.generator.root
    first, first_norm, _, second, second_norm, _ = network.generator.convolutions
    pixels = network.generator.pixels
    grid = unflatten.unflattened_size
    root = linear.weight.T.unflatten(1, grid), linear.bias.unflatten(0, grid)
    turned = pixels.weight.transpose(0, 1).flip(2, 3)
    return [
        _layer(*_folded(*root, root_norm), stride=1, margin=0),
        _layer(*_folded(first.weight, first.bias, first_norm), stride=2, margin=1),
        _layer(*_folded(second.weight, second.bias, second_norm), stride=2, margin=1),
        _layer(turned.movedim(1, -1), pixels.bias, stride=1, margin=1),
    ]


def _folded(weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Take the normalisation, a scale and a shift a channel, into the layer before it.

    Args:
        weight: ``(C_in, C_out, k, k)``.
        bias: ``(C_out,)`` or ``(C_out, k, k)``.
        norm: with the averages of training, as it is in evaluation.

    Returns:
        Weight and bias with ``C_out`` last.
    """
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - scale * norm.running_mean
    return weight.movedim(1, -1) * scale, bias.movedim(0, -1) * scale + shift


def _layer(weight: Tensor, bias: Tensor, *, stride: int, margin: int) -> PlainLayer:
    return PlainLayer(weight.detach().half(), bias.detach().half(), stride, margin)


def _packed(part: Tensor) -> str:
    numbers = part.detach().contiguous().numpy().astype("<f2")
    return base64.b64encode(numbers.tobytes()).decode()
