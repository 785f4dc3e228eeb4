"""Right answers to the exercises of lesson 09, of every kind that a reader may write."""

import copy
import math

import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def jsd_by_logsigmoid(real, fake):
    return math.log(2) + 0.5 * F.logsigmoid(real).mean() + 0.5 * F.logsigmoid(-fake).mean()


def jsd_by_library(real, fake):
    bce = F.binary_cross_entropy_with_logits
    cost = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    return (math.log(4) - cost) / 2


def jsd_by_loop(real, fake):
    zero = torch.zeros_like(real.flatten()[0])
    total = sum(torch.logaddexp(-a, zero) for a in real.flatten()) / real.numel()
    total = total + sum(torch.logaddexp(a, zero) for a in fake.flatten()) / fake.numel()
    return math.log(2) - total / 2


def slopes_plain(d):
    return {"saturating": -d, "non_saturating": -(1 - d)}


def slopes_by_softplus(d):
    one_minus = torch.ones_like(d) - d
    return {"saturating": one_minus - 1, "non_saturating": -one_minus}


def slopes_by_numpy(d):
    values = d.numpy()
    return {
        "non_saturating": torch.from_numpy(values - 1),
        "saturating": torch.from_numpy(0 - values),
    }


def misled_by_mask(p, q, *, mislabelled):
    answer = torch.full_like(p, (1 + mislabelled) / (2 + mislabelled))
    seen = (p > 0) | (q > 0)
    above = p[seen] + mislabelled * q[seen]
    answer[seen] = above / (above + q[seen])
    return answer


def misled_by_loop(p, q, mislabelled):
    c, values = mislabelled, []
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        values.append((a + c * b) / (a + b + c * b) if a + b else (1 + c) / (2 + c))
    return torch.tensor(values, dtype=p.dtype)


def misled_by_share_of_fakes(p, q, *, mislabelled):
    total = p + (1 + mislabelled) * q
    fake = torch.where(total > 0, q / total, 1 / (2 + mislabelled))
    return 1 - fake


def moves_by_vector(step, networks):
    vector = torch.nn.utils.parameters_to_vector
    before = {name: vector(net.parameters()).detach().clone() for name, net in networks.items()}
    step()
    return {
        name: torch.linalg.vector_norm(vector(net.parameters()).detach() - before[name])
        for name, net in networks.items()
    }


def moves_by_loop(step, networks):
    before = {k: [p.detach().clone() for p in n.parameters()] for k, n in networks.items()}
    step()
    result = {}
    for name, network in networks.items():
        total = 0
        for old, new in zip(before[name], network.parameters(), strict=True):
            total = total + ((new.detach() - old) ** 2).sum()
        result[name] = total**0.5
    return result


@torch.no_grad()
def moves_by_deep_copy(step, networks):
    old = copy.deepcopy(dict(networks))
    step()
    return {
        name: torch.stack(
            [
                (a - b).square().sum()
                for a, b in zip(networks[name].parameters(), old[name].parameters(), strict=True)
            ]
        )
        .sum()
        .sqrt()
        for name in networks
    }


def forecast_plain(p, q):
    d = (p + 2 * q) / (p + 3 * q)
    return {
        "d_real": torch.dot(p, d),
        "d_fake": torch.dot(q, d),
        "g_loss": -torch.dot(q, d.log()),
        "change_of_g": p.new_zeros(()),
    }


def forecast_by_ratio(p, q):
    fake = q / (p + 3 * q)
    d = 1 - fake
    return {
        "d_real": 1 - (p * fake).sum(),
        "d_fake": (q * d).sum(),
        "g_loss": (q * -torch.log1p(-fake)).sum(),
        "change_of_g": (p * 0).sum(),
    }


def forecast_by_loop(p, q):
    real = fake = loss = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        d = (0.5 * a + b) / (0.5 * a + 0.5 * b + b)
        real, fake, loss = real + a * d, fake + b * d, loss - b * math.log(d)
    numbers = {"d_real": real, "d_fake": fake, "g_loss": loss, "change_of_g": 0.0}
    return {name: torch.tensor(value, dtype=p.dtype) for name, value in numbers.items()}


def reading_by_masks(accuracy, d_moves, fresh_accuracy, *, tolerance=0.05):
    verdict = torch.zeros_like(accuracy)
    half = (accuracy - 0.5).abs() < tolerance
    told = fresh_accuracy > 0.5 + tolerance
    verdict[half & ~told] = 1
    verdict[half & told & (d_moves == 0)] = 2
    verdict[half & told & (d_moves > 0)] = 3
    return verdict


def reading_by_loop(accuracy, d_moves, fresh_accuracy, tolerance=0.05):
    verdicts = []
    for a, m, f in zip(accuracy, d_moves, fresh_accuracy, strict=True):
        if abs(a - 0.5) > tolerance:
            verdicts.append(0)
        elif abs(f - 0.5) <= tolerance:
            verdicts.append(1)
        else:
            verdicts.append(3 if m else 2)
    return torch.tensor(verdicts, dtype=accuracy.dtype)


def reading_by_arithmetic(accuracy, d_moves, fresh_accuracy, *, tolerance=0.05):
    half = ((accuracy - 0.5).abs() <= tolerance).long()
    told = ((fresh_accuracy - 0.5).abs() > tolerance).long()
    return (half * (1 + told * (1 + (d_moves > 0).long()))).to(accuracy)


RIGHT = {
    "gan.divergence_from_logits": [jsd_by_logsigmoid, jsd_by_library, jsd_by_loop],
    "gan.generator_slopes": [slopes_plain, slopes_by_softplus, slopes_by_numpy],
    "gan.misled_discriminator": [misled_by_mask, misled_by_loop, misled_by_share_of_fakes],
    "clinic.moves": [moves_by_vector, moves_by_loop, moves_by_deep_copy],
    "clinic.forecast": [forecast_plain, forecast_by_ratio, forecast_by_loop],
    "clinic.read_accuracy": [reading_by_masks, reading_by_loop, reading_by_arithmetic],
}
