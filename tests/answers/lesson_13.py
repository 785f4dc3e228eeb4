"""Right answers to the exercises of lesson 13, of every kind that a reader may write."""

import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


bce = F.binary_cross_entropy_with_logits


def d_by_library(real, fake):
    return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))


def d_by_loop(real, fake):
    zero = torch.zeros_like(real[0])
    return sum(torch.logaddexp(-a, zero) for a in real) / len(real) + sum(
        torch.logaddexp(a, zero) for a in fake
    ) / len(fake)


def optimum_by_mask(p, q, *, prior=0.5):
    answer = torch.full_like(p, prior)
    seen = (p > 0) | (q > 0)
    answer[seen] = prior * p[seen] / (prior * p[seen] + (1 - prior) * q[seen])
    return answer


def optimum_by_loop(p, q, prior=0.5):
    pairs = zip(p.flatten().tolist(), q.flatten().tolist(), strict=True)
    values = [prior * a / (prior * a + (1 - prior) * b) if a + b else prior for a, b in pairs]
    return torch.tensor(values, dtype=p.dtype).reshape(p.shape)


def optimum_by_logit(p, q, *, prior=0.5):
    logit = p.log() - q.log() + torch.logit(torch.tensor(prior, dtype=p.dtype))
    return torch.where(p + q > 0, torch.sigmoid(logit), prior)


def r1_by_loop(real_logits, x, *, gamma):
    total = 0.0
    for i in range(len(x)):
        (g,) = torch.autograd.grad(real_logits[i], x, create_graph=True)
        total = total + g[i].square().sum()
    return 0.5 * gamma * total / len(x)


def r1_by_norm(real_logits, x, *, gamma):
    g = torch.autograd.grad(
        real_logits, x, torch.ones_like(real_logits), create_graph=True, retain_graph=True
    )[0]
    return gamma / 2 * (torch.linalg.vector_norm(g.flatten(1), dim=1) ** 2).mean()


def r1_by_total(real_logits, x, gamma):
    return (
        gamma
        * torch.autograd.grad(real_logits.sum(), [x], create_graph=True)[0].pow(2).sum()
        / (2 * len(x))
    )


def condition_by_one_hot(z, y, table):
    return torch.hstack([z, F.one_hot(y, table.shape[0]).to(table.dtype) @ table])


def condition_by_loop(z, y, table):
    return torch.stack(
        [torch.cat([row, table[int(label)]]) for row, label in zip(z, y, strict=True)]
    )


def logit_by_layers(features, y, weight, bias, class_vectors):
    return F.linear(features, weight[None], bias[None]).squeeze(1) + (
        F.embedding(y, class_vectors) * features
    ).sum(1)


def logit_by_loop(features, y, weight, bias, class_vectors):
    return torch.stack(
        [f @ (weight + class_vectors[k]) + bias for f, k in zip(features, y, strict=True)]
    )


def shift_by_logs(posterior, old, new):
    return (posterior.log() + new.log() - old.log()).softmax(dim=1)


def shift_by_loop(posterior, old, new):
    rows = [[p * b / a for p, a, b in zip(row, old, new, strict=True)] for row in posterior]
    return torch.stack([torch.stack(row) / sum(row) for row in rows])


def step_with_fresh_noise(generator, discriminator, opt_g, opt_d, x, y, *, gamma=0.0):
    with torch.no_grad():
        fake = generator(torch.randn(len(x), generator.latent_dim), y)
    real = x.clone().requires_grad_()
    logits = discriminator(real, y)
    d_loss = d_by_library(logits, discriminator(fake, y))
    opt_d.zero_grad()
    (d_loss + r1_by_norm(logits, real, gamma=gamma)).backward()
    opt_d.step()
    z = torch.distributions.Normal(0.0, 1.0).sample((x.shape[0], generator.latent_dim))
    out = discriminator(generator(z, y), y)
    g_loss = bce(out, torch.ones_like(out))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    return {"g_loss": g_loss.detach(), "d_loss": d_loss.detach()}


def step_with_frozen_judge(generator, discriminator, opt_g, opt_d, x, y, gamma=0.0):
    z = torch.randn(len(x), generator.latent_dim)
    real = x.detach().requires_grad_()
    both = discriminator(torch.cat([real, generator(z, y).detach()]), torch.cat([y, y]))
    logits, fakes = both.chunk(2)
    d_loss = F.softplus(-logits).mean() + F.softplus(fakes).mean()
    (d_loss + r1_by_total(logits, real, gamma)).backward()
    opt_d.step()
    discriminator.requires_grad_(False)
    g_loss = -F.logsigmoid(discriminator(generator(z, y), y)).mean()
    g_loss.backward()
    opt_g.step()
    discriminator.requires_grad_(True)
    opt_d.zero_grad()
    opt_g.zero_grad()
    return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach()}


def step_by_hand(generator, discriminator, opt_g, opt_d, x, y, *, gamma=0.0):
    noise = torch.empty(len(x), generator.latent_dim).normal_()
    fake = generator(noise, y)
    real = x.detach().requires_grad_(gamma > 0)
    logits = discriminator(real, y)
    d_loss = d_by_loop(logits, discriminator(fake.detach(), y))
    cost = d_loss + (r1_by_total(logits, real, gamma) if gamma > 0 else 0)
    weights = list(discriminator.parameters())
    for w, g in zip(weights, torch.autograd.grad(cost, weights), strict=True):
        w.grad = g
    opt_d.step()
    g_loss = F.softplus(-discriminator(fake, y)).mean()
    weights = list(generator.parameters())
    for w, g in zip(weights, torch.autograd.grad(g_loss, weights), strict=True):
        w.grad = g
    opt_g.step()
    return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach(), "note": "by hand"}


def information_by_loop(joint, guess):
    total = 0.0
    for k, row in enumerate(joint):
        frequency = row.sum()
        for i, p in enumerate(row):
            total = total + p * (guess[i, k].log() - frequency.log())
    return total


def information_by_xlogy(joint, guess):
    classes = joint.sum(1)
    return torch.xlogy(joint, guess.t()).sum() - torch.xlogy(classes, classes).sum()


RIGHT = {
    "gan.discriminator_loss": [
        d_by_library,
        d_by_loop,
        lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
        lambda real, fake: -(F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()),
    ],
    "gan.generator_loss": [
        lambda fake: bce(fake, torch.ones_like(fake)),
        lambda fake: -F.logsigmoid(fake).mean(),
        lambda fake: sum(F.softplus(-a) for a in fake) / len(fake),
    ],
    "gan.optimal_discriminator": [optimum_by_mask, optimum_by_loop, optimum_by_logit],
    "gan.r1_penalty": [r1_by_loop, r1_by_norm, r1_by_total],
    "cgan.condition": [
        condition_by_one_hot,
        condition_by_loop,
        lambda z, y, table: torch.cat((z, F.embedding(y, table)), -1),
    ],
    "cgan.projection_logit": [
        logit_by_layers,
        logit_by_loop,
        lambda f, y, w, b, v: torch.einsum("bf,bf->b", f, w + v[y]) + b,
    ],
    "cgan.step": [step_with_fresh_noise, step_with_frozen_judge, step_by_hand],
    "cgan.information_bound": [
        information_by_loop,
        information_by_xlogy,
        lambda joint, guess: (
            torch.einsum("kn,nk->", joint, guess.log())
            + torch.distributions.Categorical(probs=joint.sum(dim=1)).entropy()
        ),
    ],
    "cgan.prior_shift": [
        shift_by_logs,
        shift_by_loop,
        lambda p, old, new: F.normalize(p * new / old, p=1, dim=1),
    ],
}
