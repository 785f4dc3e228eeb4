"""Lightning Fabric at the door: devices, precision, several processes; no step knows of it."""

from __future__ import annotations

import ctypes
import inspect
import logging
import os
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from genimg_course.training.batch_statistics import share_batch_statistics
from genimg_course.training.devices import pick_device, seed_everything

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["adam", "has_bfloat16", "open_fabric", "place", "seed_process"]

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


def open_fabric(
    *,
    accelerator: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    precision: str | None = None,
) -> Fabric:
    """Start Lightning Fabric: find the device, set the precision, start the other processes.

    With several devices, the command that called this is started again for each of them. Every
    process then runs the same lines and knows its number, ``fabric.global_rank``.

    On a CPU with Linux the process keeps up to a gibibyte of freed memory from here on.

    Args:
        accelerator: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        devices: processes on each machine: one for each GPU, or any number on a CPU.
        nodes: machines; with more than one, call this on each of them, with ``MASTER_ADDR``,
            ``MASTER_PORT`` and ``NODE_RANK`` in the environment.
        precision: ``"fp32"``, or ``"bf16"`` or ``"fp16"``, where the networks compute in 16 bits
            and keep their weights in 32; ``None`` takes bf16 where the GPU or the processor has
            instructions for it, else fp32.

    Raises:
        ValueError: if a name or a number is not possible on this machine, or Fabric is missing.
    """
    if devices < 1 or nodes < 1:
        raise ValueError(f"devices is {devices}, nodes is {nodes}: expected at least one each")
    device = pick_device(None if accelerator == "auto" else accelerator)
    precision = _precision_for(device, precision)
    several = devices * nodes > 1
    fabric_class = _import_fabric()
    if device.type == "cpu":
        _keep_freed_memory()
        if several and nodes == 1:
            _talk_inside_this_machine()
    try:
        fabric = fabric_class(
            accelerator=device.type,
            devices=devices,
            num_nodes=nodes,
            precision=PRECISIONS[precision],
            strategy=_strategy() if several else "auto",
        )
    except (RuntimeError, ValueError, _misconfiguration()) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{devices} processes on {device.type} are not possible here: {reason}"
        ) from error
    fabric.launch()
    return fabric


def place(fabric: Fabric, network: nn.Module) -> Any:
    """Bring a network to its device and hand it to Fabric.

    Its weights become ``channels_last``, its batch statistics are shared when there are several
    processes, and its forward pass runs in the precision of the fabric. Call the result where the
    network was called. The network itself is changed in place and keeps its weights: sample from
    it, average it, save it.

    Args:
        fabric: what ``open_fabric`` returned.
        network: any network; in training with several processes all its parameters take part.

    Returns:
        A module with the same attributes and parameters.
    """
    network = network.to(fabric.device).to(memory_format=torch.channels_last)
    _keep_channels_last(network)
    if fabric.world_size > 1:
        network = share_batch_statistics(network)
    placed: Any = fabric.setup_module(network)
    # Fabric's guard against a bare ``loss.backward()`` would also refuse the inner gradient of R1
    # and of the gradient penalty, which is no backward pass of a loss
    placed._register_backward_hook = lambda tensor: tensor
    return placed


def adam(
    network: nn.Module,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    fabric: Fabric | None = None,
) -> Optimizer:
    """Return torch's Adam over all parameters of a network, in one fused call where torch has it.

    Args:
        network: on its device already.
        lr: learning rate.
        betas: decay of the mean and of the mean square of the gradients.
        fabric: if given, its ``step`` also takes the scale of fp16 losses away again.
    """
    devices = {parameter.device.type for parameter in network.parameters()}
    optimizer = Adam(network.parameters(), lr=lr, betas=betas, fused=devices <= {"cpu", "cuda"})
    if fabric is None:
        return optimizer
    prepared: Any = fabric.setup_optimizers(optimizer)
    return prepared


def seed_process(fabric: Fabric, seed: int) -> None:
    """Give each process random numbers of its own, once the networks have been made alike.

    Raises:
        ValueError: if the seed is outside ``0 .. 2**32 - 1``.
    """
    seed_everything((seed + 7919 * fabric.global_rank) % 2**32 if 0 <= seed < 2**32 else seed)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the device has instructions for bfloat16; without them it is slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        known = torch.cpu.get_capabilities()
        return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
    return False


def _precision_for(device: torch.device, precision: str | None) -> str:
    if precision is None:
        return "bf16" if has_bfloat16(device) else "fp32"
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}: choose one of {', '.join(PRECISIONS)}")
    if precision == "fp16" and device.type == "cpu":
        raise ValueError("precision is 'fp16' on a CPU, which gains nothing: choose bf16 or fp32")
    return precision


def _import_fabric() -> Any:
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ValueError(
            "Lightning Fabric is not installed: pip install 'genimg_course[train]'"
        ) from error
    logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
    return Fabric


def _misconfiguration() -> type[Exception]:
    """Return the error of Fabric for more GPUs than there are; it is no ``ValueError``."""
    from lightning_fabric.utilities.exceptions import MisconfigurationException

    return MisconfigurationException


def _strategy() -> Any:
    """Return torch's DDP, which carries every step as it is, those of GANs included.

    It averages a network's gradients in the backward pass that fills them. A discriminator that
    only passes gradients on, as in the generator's update, starts no average of its own.
    """
    from lightning_fabric.strategies import DDPStrategy
    from torch.nn.parallel import DistributedDataParallel

    # the running statistics are shared already; to send them again before each forward pass would
    # change buffers between a forward pass and its backward pass
    names = inspect.signature(DistributedDataParallel).parameters
    name = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    # the strides of a dimension of length one mean nothing, and DDP warns of them
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
    options: dict[str, Any] = {name: False}
    return DDPStrategy(**options)


def _keep_channels_last(network: nn.Module) -> None:
    """Let pictures and their gradients keep one order of pixels where they meet a linear layer.

    ``Flatten`` and ``Unflatten`` count pixels channel by channel. The pictures that leave the
    second, and the gradients that come back through the first, would therefore not lie in memory
    as those of the convolutions do, and an activation that reads both orders at once is slow.
    """
    for module in network.modules():
        if isinstance(module, nn.Flatten):
            module.register_forward_pre_hook(_reorder_gradient)
        elif isinstance(module, nn.Unflatten):
            module.register_forward_hook(_reorder_pictures)


def _reorder_gradient(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    if inputs[0].requires_grad:
        inputs[0].register_hook(_channels_last)


def _reorder_pictures(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return _channels_last(output)


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def _keep_freed_memory() -> None:
    """Let the C library keep the memory of one step's tensors for the next step.

    glibc gives freed memory back beyond a threshold, and the system clears each page before it
    hands it out again. A step asks for the same blocks as the one before.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:  # the numbers -3 and -1 are M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
        mallopt(-3, 2**25)  # the largest that it takes; every larger block is a mapping of its own
        mallopt(-1, 2**30)


def _talk_inside_this_machine() -> None:
    """Keep gloo on the loopback interface; it would look for the machine's name otherwise."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    for name in ("lo", "lo0"):
        if name in names:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
