"""What can go wrong in a step, each with a sentence that says where and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

__all__ = [
    "MissingOperation",
    "NonFiniteLoss",
    "OutOfMemory",
    "explain",
    "first_broken",
    "lost_process",
]

# the words of a CPU and of Apple's GPU, which raise no error type of their own
MEMORY_WORDS = ("not enough memory", "can't allocate memory", "out of memory")


class NonFiniteLoss(RuntimeError):
    """A loss became NaN or infinite; the message names it, the step and the broken tensor."""


class OutOfMemory(RuntimeError):
    """The device has no memory left; the message says how large the batch was."""


class MissingOperation(NotImplementedError):
    """Apple's GPU lacks an operation; the message says how to go on without it."""


def explain(error: RuntimeError, n: int, batch: Sequence[Tensor]) -> RuntimeError:
    """Return a clearer error for what a step raised, or the error itself.

    Args:
        error: what was raised.
        n: number of the step.
        batch: what the step was given.
    """
    words = str(error)
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in batch)
    if isinstance(error, torch.OutOfMemoryError) or any(w in words for w in MEMORY_WORDS):
        return OutOfMemory(
            f"step {n} needs more memory than the device has, with a batch of shape {shapes}: "
            "halve batch_size and run again"
        )
    if isinstance(error, NotImplementedError) and "MPS" in words:
        return MissingOperation(
            f"step {n} needs an operation that Apple's GPU lacks ({words.splitlines()[0]}): set "
            "PYTORCH_ENABLE_MPS_FALLBACK=1 before Python starts, or train on the CPU"
        )
    return error


def lost_process(error: RuntimeError) -> bool:
    """Return whether an error means that another process of the run has ended.

    gloo, which has no error type of its own, raises it in the processes that are left.

    >>> lost_process(RuntimeError("Connection closed by peer [127.0.0.1]:30902"))
    True
    """
    return any(words in str(error) for words in ("closed by peer", "reset by peer"))


def first_broken(networks: Mapping[str, nn.Module], *, gradients: bool = True) -> str | None:
    """Return the name of the first tensor with NaN or infinity, ``None`` if all are finite.

    Parameters come first, then their gradients, then buffers.

    Args:
        networks: where to look, by name.
        gradients: look at gradients too. Those of a step that fp16 training skips may be infinite.

    >>> layer = nn.Linear(1, 1)
    >>> layer.bias.data.fill_(torch.nan)
    tensor([nan])
    >>> first_broken({"layer": layer})
    'layer.bias'
    """
    for label, tensor in _tensors(networks, gradients):
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            return label
    return None


def _tensors(networks: Mapping[str, nn.Module], gradients: bool) -> Iterator[tuple[str, Tensor]]:
    # the state rather than named_parameters: Fabric's wrapper adds nothing to these names
    states = {name: network.state_dict(keep_vars=True) for name, network in networks.items()}
    named = [(f"{name}.{key}", t) for name, state in states.items() for key, t in state.items()]
    learned = [(label, t) for label, t in named if isinstance(t, nn.Parameter)]
    yield from ((label, t.detach()) for label, t in learned)
    if gradients:
        yield from ((f"{label} (gradient)", t.grad) for label, t in learned if t.grad is not None)
    yield from ((f"{label} (buffer)", t) for label, t in named if not isinstance(t, nn.Parameter))
