"""Batch normalisation over several processes: one mean and one variance for the whole batch."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["SharedBatchNorm2d", "share_batch_statistics", "sum_over_processes"]

Network = TypeVar("Network", bound=nn.Module)


class _SumOverProcesses(torch.autograd.Function):
    """A sum that every process needs: each gets the gradient of all their losses together."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return sum_over_processes(gradients[0])


def sum_over_processes(x: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; differentiable, any number of times."""
    return _SumOverProcesses.apply(x)


class SharedBatchNorm2d(nn.BatchNorm2d):
    r"""Normalise by the mean and the variance of the batch of all processes together.

    .. math:: \hat x = \frac{x - m}{\sqrt{v + \epsilon}}, \qquad
        m = \frac1N \sum_r \sum_i x_{ri}, \quad v = \frac1N \sum_r \sum_i (x_{ri} - m)^2

    torch's own ``SyncBatchNorm`` does this on GPUs only. Every process must hold the same number
    of images. In evaluation mode it is an ordinary batch normalisation.

    Source:
        Ioffe and Szegedy (2015), algorithm 1, https://arxiv.org/abs/1502.03167
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised images, ``(B, C, H, W)``."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        x = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = sum_over_processes(x.sum(dim=(0, 2, 3))) / count  # (C,)
        # the mean first: the difference of two large squares would lose the small variance
        centred = x - mean[:, None, None]
        variance = sum_over_processes(centred.square().sum(dim=(0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * (count / max(count - 1, 1)))
        scale = (variance + self.eps).rsqrt()
        if self.affine:
            scale = scale * self.weight
        out = centred * scale[:, None, None]
        if self.affine:
            out = out + self.bias[:, None, None]
        return out.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None  # torch keeps all three or none
        self.num_batches_tracked.add_(1)
        share = self.momentum
        if share is None:  # torch's word for a plain average over all batches
            share = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


def share_batch_statistics(network: Network) -> Network:
    """Turn every ``BatchNorm2d`` inside a network into a shared one, in place; weights stay.

    On a GPU torch's own ``SyncBatchNorm`` takes their place.
    """
    if any(p.is_cuda for p in network.parameters()):
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for layer in network.modules():
        # the same parameters and buffers with another forward pass: optimisers and averages that
        # already hold them stay valid
        if type(layer) is nn.BatchNorm2d:
            layer.__class__ = SharedBatchNorm2d
    return network
