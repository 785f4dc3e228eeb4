"""DCGAN's rules: which grid an image size asks for, and which rules a network breaks."""

from __future__ import annotations

from torch import nn

__all__ = ["RULES", "broken_rules", "size_rule"]

RULES = {
    "pooling": "sides are halved and doubled by convolutions with stride, not by pooling",
    "dense": "no fully connected hidden layers",
    "edge_norm": "no batch normalisation on the generator's output or the discriminator's input",
    "activation": "ReLU inside the generator, leaky ReLU inside the discriminator",
    "slope": "the leaky ReLU has slope 0.2",
    "output": "the generator ends in tanh; the discriminator ends in logits",
    "momentum": "Adam's first beta is 0.5",
}
"""What each key of `broken_rules` counts; the logits are this course's rule, for its losses."""

_POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.Upsample)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_WEIGHTS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid)


def size_rule(size: int, *, kernel_size: int = 4, largest: int = 7) -> dict[str, int]:
    r"""Plan the doublings of a generator, and the padding with which each layer doubles exactly.

    A side is halved while it is even and above ``largest``. A transposed convolution with stride 2
    makes :math:`2(n - 1) - 2p + k + o` of ``n`` pixels, which is ``2n`` for
    :math:`p = (k - 2 + o) / 2`; ``o`` is 1 where the kernel is odd.

    Args:
        size: side of the images.
        kernel_size: side ``k`` of the kernels, at least 2.
        largest: the smallest grid may have up to this many pixels a side.

    Returns:
        ``side`` of the smallest grid, ``doublings``, ``padding`` and ``output_padding``.

    Raises:
        ValueError: if the side cannot be halved down to ``largest``, or the kernel is too small.

    Source:
        Radford, Metz and Chintala (2016), section 3, https://arxiv.org/abs/1511.06434

    >>> size_rule(28)
    {'side': 7, 'doublings': 2, 'padding': 1, 'output_padding': 0}
    """
    if kernel_size < 2:
        raise ValueError(f"kernel_size is {kernel_size}: expected at least 2 for stride 2")
    side, doublings = size, 0
    while side > largest and side % 2 == 0:
        side, doublings = side // 2, doublings + 1
    if side > largest or side < 1:
        raise ValueError(f"a side of {size} cannot be halved to at most {largest}")
    extra = kernel_size % 2
    return {
        "side": side,
        "doublings": doublings,
        "padding": (kernel_size - 2 + extra) // 2,
        "output_padding": extra,
    }


def broken_rules(network: nn.Module, *, role: str, beta1: float = 0.5) -> dict[str, int]:
    """Count how often a network breaks each of DCGAN's rules.

    The layers are read in the order in which the network holds them. What ``forward`` does between
    them, such as ``torch.tanh``, is not seen.

    Args:
        network: built of torch's layers.
        role: ``"generator"`` or ``"discriminator"``.
        beta1: Adam's weight of the past for the mean of the gradients.

    Returns:
        One count for each key of `RULES`; all zero if every rule is kept.

    Raises:
        ValueError: if the role is another one, or the network has no weights.

    Source:
        Radford, Metz and Chintala (2016), sections 3 and 4, https://arxiv.org/abs/1511.06434

    >>> network = nn.Sequential(nn.Conv2d(1, 4, 4, 2), nn.LeakyReLU(), nn.Conv2d(4, 1, 7))
    >>> [rule for rule, count in broken_rules(network, role="discriminator").items() if count]
    ['slope']
    """
    if role not in ("generator", "discriminator"):
        raise ValueError(f"role is {role!r}: expected 'generator' or 'discriminator'")
    layers = [m for m in network.modules() if not list(m.children())]
    weights = [i for i, layer in enumerate(layers) if isinstance(layer, _WEIGHTS)]
    if not weights:
        raise ValueError("the network has no convolution and no linear layer")
    making = role == "generator"
    last = layers[-1]
    free = weights[0] if making else weights[-1]  # the only layer that may be dense
    hidden = layers[:-1] if isinstance(last, _ACTIVATIONS) else layers
    inner = [layer for layer in hidden if isinstance(layer, _ACTIVATIONS)]
    wanted = nn.ReLU if making else nn.LeakyReLU
    return {
        "pooling": _count(layers, _POOLING),
        "dense": sum(isinstance(layers[i], nn.Linear) for i in weights if i != free),
        "edge_norm": _count(layers[weights[-1] :] if making else _before_second(layers), _NORMS),
        "activation": sum(not isinstance(layer, wanted) for layer in inner),
        "slope": sum(isinstance(x, nn.LeakyReLU) and x.negative_slope != 0.2 for x in inner),
        "output": int(not isinstance(last, nn.Tanh) if making else isinstance(last, _ACTIVATIONS)),
        "momentum": int(beta1 != 0.5),
    }


def _count(layers: list[nn.Module], kinds: tuple[type[nn.Module], ...]) -> int:
    return sum(isinstance(layer, kinds) for layer in layers)


def _before_second(layers: list[nn.Module]) -> list[nn.Module]:
    """Return what stands before the second layer with weights: the input and the first layer."""
    places = [i for i, layer in enumerate(layers) if isinstance(layer, _WEIGHTS)]
    return layers[: places[1]] if len(places) > 1 else layers
