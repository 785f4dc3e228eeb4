"""What to observe of a training step: its losses, and how far which networks move.

Steps draw noise, and right answers draw it in different orders. Networks that ignore the noise
would hide a cut latent, and replaced functions miss ``from torch import randn``; so
:class:`FixedNoise` replaces the draws themselves, below all of torch's functions: every normal draw
of one shape has the same values. A step that draws once, twice or in another order then ends at
the same parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from genimg_course.probing.case import Observations
from genimg_course.probing.values import plain, tensors

__all__ = ["FixedNoise", "training_steps"]


class FixedNoise(TorchDispatchMode):
    """Give every normal draw of one shape the same values, whenever and however it is drawn.

    It catches the operations below ``torch.randn``, ``randn_like``, ``normal``, ``Tensor.normal_``
    and ``torch.distributions``, so a step that draws its noise in another order, or twice, or with
    a generator of its own, meets the noise of the reference, and its parameters can be compared.

    Args:
        seed: chooses the values.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Do without torch's guard against compilation, which costs a third of a check's time."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run an operation; replace what a normal draw returns."""
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ("randn", "randn_like"):
            return result.copy_(self._noise(result))
        if name in ("normal", "normal_"):
            first = (
                1 if name == "normal_" else 0
            )  # normal_(self, mean, std), normal(mean, std, ...)
            mean, std = (*args[first:], *((0.0, 1.0)[len(args) - first :]))[:2]
            return result.copy_(self._noise(result) * std + mean)
        return result

    def _noise(self, like: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(self._seed)
        return torch.randn(like.shape, generator=rng, device="cpu").to(like)


def training_steps(
    step: Callable[[], Any],
    networks: Mapping[str, nn.Module],
    keys: Sequence[str],
    *,
    count: int = 2,
) -> Observations:
    """Observe ``count`` calls of a training step: its losses, and where the networks move to.

    Two calls show what one hides: gradients that pile up, a step taken before its backward pass.

    Args:
        step: calls the answer once on these networks, under :class:`FixedNoise`.
        networks: what may move, by name; parts of one model may stand here separately.
        keys: losses that the returned dictionary must hold; it may hold more.
        count: number of calls.
    """
    for number in range(1, count + 1):
        before = {name: _parameters(network) for name, network in networks.items()}
        result = step()
        yield f"losses:{number}", _chosen(result, keys)
        # a fact about this process that no number shows; it earns nothing without right numbers
        yield f"detached:{number}", not any(item.requires_grad for item in tensors(result))
        for name, network in networks.items():
            yield f"change:{name}:{number}", _parameters(network) - before[name]
    for name, network in networks.items():
        yield f"mode:{name}", tuple(module.training for module in network.modules())


def _chosen(result: Any, keys: Sequence[str]) -> Any:
    if not isinstance(result, Mapping):
        return plain(result)
    return {key: plain(result[key]) for key in keys if key in result}


def _parameters(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])
