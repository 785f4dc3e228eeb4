"""Right answers to the exercises of lesson 01, of every kind that a reader may write."""

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def bytes_by_numpy(x):
    levels = np.clip(np.rint((x.detach().numpy().astype(np.float64) + 1) * 127.5), 0, 255)
    return torch.from_numpy(levels.astype(np.uint8))


def bytes_by_clipping_first(x):
    return ((x.clamp(-1, 1) + 1) / 2 * 255 + 0.5).floor().to(torch.uint8)


def fold_by_modulo(frequency, *, rate=1.0):
    rest = frequency % rate
    return torch.minimum(rest, rate - rest)


def fold_by_angle(frequency, rate=1.0):
    return torch.arccos(torch.cos(2 * torch.pi * frequency.double() / rate)).to(frequency) * (
        rate / (2 * torch.pi)
    )


def fold_by_loop(frequency, *, rate=1.0):
    answers = []
    for f in frequency.double().tolist():
        while f > rate / 2:
            f = abs(f - rate)
        answers.append(f)
    return torch.tensor(answers, dtype=frequency.dtype)


def shrink_by_convolution(x, factor):
    channels = x.shape[1]
    kernel = torch.full((channels, 1, factor, factor), 1 / factor**2, dtype=x.dtype)
    return F.conv2d(x, kernel, stride=factor, groups=channels)


def shrink_by_numpy(x, factor):
    b, c, h, w = x.shape
    blocks = x.numpy().reshape(b, c, h // factor, factor, w // factor, factor)
    return torch.from_numpy(blocks.mean(axis=(3, 5)))


def pairs_by_loop(images, masks, labels, flips, gains, survives):
    new_images, new_masks = [], []
    for i in range(len(images)):
        x, m = images[i], masks[i]
        if flips[i] and survives[labels[i]]:
            x, m = x.flip(-1), m.flip(-1)
        new_images.append((gains[i] * x).clamp(-1, 1))
        new_masks.append(m)
    return {"images": torch.stack(new_images), "masks": torch.stack(new_masks)}


def pairs_by_index(images, masks, labels, flips, gains, survives):
    chosen = (flips & survives[labels]).nonzero().flatten()
    images, masks = images.clone(), masks.clone()
    images[chosen] = images[chosen][..., torch.arange(images.shape[-1] - 1, -1, -1)]
    masks[chosen] = masks[chosen].fliplr() if masks.ndim == 2 else masks[chosen].flip(3)
    return {"images": (images.T * gains).T.clamp(min=-1, max=1), "masks": masks}


def pairs_together(images, masks, labels, flips, gains, survives):
    both = torch.cat([images, masks], dim=1)
    move = flips.logical_and(survives.gather(0, labels)).view(-1, 1, 1, 1)
    both = torch.where(move, torch.flip(both, dims=[3]), both)
    x, m = both.split([images.shape[1], 1], dim=1)
    return {"images": torch.clip(x * gains.view(-1, 1, 1, 1), -1.0, 1.0), "masks": m}


def operator(weights):
    turns = range(len(weights))
    return torch.stack([weights.roll(i) for i in turns])  # row i: where a picture at i lands


def lost_by_rank(weights):
    return len(weights) - int(torch.linalg.matrix_rank(operator(weights.double()), atol=1e-5))


def lost_by_numpy(weights):
    return int(np.isclose(np.abs(np.fft.fft(weights.double().numpy())), 0, atol=1e-6).sum())


def lost_by_eigenvalues(weights):
    return sum(abs(value) < 1e-6 for value in torch.linalg.eigvals(operator(weights)).tolist())


def unmix_by_numpy(observed, weights):
    modes = np.fft.fft(observed.double().numpy(), axis=-1) / np.fft.fft(weights.double().numpy())
    return torch.from_numpy(np.fft.ifft(modes, axis=-1).real).to(observed.dtype)


def balance_by_loop(labels):
    classes, counts = labels.unique(return_counts=True)
    by_class = dict(zip(classes.tolist(), counts.tolist(), strict=True))
    values = [1 / (len(by_class) * by_class[y]) for y in labels.tolist()]
    return torch.tensor(values, dtype=torch.float64)


def balance_by_numpy(labels):
    _, place, counts = np.unique(labels.numpy(), return_inverse=True, return_counts=True)
    return torch.from_numpy(1.0 / (len(counts) * counts[place.reshape(-1)]))


RIGHT = {
    "images.to_model_range": [
        lambda images: images.to(torch.float32).mul(2 / 255).sub(1),
        lambda images: (images.float() - 127.5) / 127.5,
        lambda images: torch.from_numpy((images.numpy() / 255 * 2 - 1).astype(np.float32)),
        lambda images: torch.linspace(-1, 1, 256)[images.long()],
    ],
    "images.to_uint8": [
        bytes_by_numpy,
        bytes_by_clipping_first,
        lambda x: x.mul(127.5).add(127.5).round().clip(0, 255).byte(),
    ],
    "images.alias_frequency": [fold_by_modulo, fold_by_angle, fold_by_loop],
    "images.shrink": [
        lambda x, factor: F.avg_pool2d(x, factor),
        lambda x, factor: F.interpolate(
            x, (x.shape[2] // factor, x.shape[3] // factor), mode="area"
        ),
        shrink_by_convolution,
        shrink_by_numpy,
    ],
    "images.augment_pairs": [pairs_by_loop, pairs_by_index, pairs_together],
    "images.lost_directions": [lost_by_rank, lost_by_numpy, lost_by_eigenvalues],
    "images.unmixed_law": [
        lambda observed, weights: observed @ torch.linalg.inv(operator(weights)),
        lambda observed, weights: torch.linalg.solve(
            operator(weights).T, observed.unsqueeze(-1)
        ).squeeze(-1),
        unmix_by_numpy,
    ],
    "images.balanced_weights": [
        balance_by_loop,
        balance_by_numpy,
        lambda labels: (n := F.one_hot(labels).sum(dim=0).double())[labels].pow(-1) / (n > 0).sum(),
    ],
}
