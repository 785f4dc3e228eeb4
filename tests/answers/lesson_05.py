"""Right answers to the exercises of lesson 05, of every kind that a reader may write."""

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def error_by_trace(cov, latent_dim):
    kept = torch.linalg.eigvalsh(cov)[max(len(cov) - latent_dim, 0) :]
    return cov.trace() - kept.sum()


def error_by_singular_values(cov, latent_dim):
    return torch.linalg.svdvals(cov)[latent_dim:].sum()


def error_by_numpy(cov, latent_dim):
    values = np.sort(np.linalg.eigvalsh(cov.numpy()))[::-1]
    return torch.tensor(values[latent_dim:].sum(), dtype=cov.dtype)


def error_by_sorting(cov, latent_dim):
    values, _ = torch.sort(torch.linalg.eigh(cov).eigenvalues, descending=True)
    return values[latent_dim:].sum()


def angle_by_cosine(a, b):
    q_a, _ = torch.linalg.qr(a)
    q_b, _ = torch.linalg.qr(b)
    return torch.linalg.svdvals(q_a.T @ q_b).clamp(-1, 1).min().acos()


def angle_by_sine(a, b):
    q_a, q_b = torch.linalg.qr(a)[0], torch.linalg.qr(b)[0]
    return torch.linalg.matrix_norm(q_a - q_b @ q_b.T @ q_a, ord=2).clamp_max(1).asin()


def angle_by_projectors(a, b):
    project = [m @ torch.linalg.pinv(m) for m in (a, b)]
    return torch.linalg.matrix_norm(project[0] - project[1], ord=2).clamp_max(1).arcsin()


def angle_by_svd(a, b):
    u = torch.linalg.svd(a, full_matrices=False).U
    v = torch.linalg.svd(b, full_matrices=False).U
    return torch.arccos(torch.linalg.svd(u.mT @ v).S[-1].clamp(max=1))


def step_by_mse(model, optimizer, x):
    loss = F.mse_loss(model(x), x, reduction="sum") / len(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"squared_error": loss.detach()}


def step_by_parts(model, optimizer, x):
    optimizer.zero_grad(set_to_none=False)
    z = model.encoder(x)
    loss = ((model.decoder(z) - x) ** 2).flatten(1).sum(1).mean()
    loss.backward()
    optimizer.step()
    return {"squared_error": loss.detach(), "code": z.detach().mean()}


def step_by_gradients(model, optimizer, x):
    loss = torch.linalg.vector_norm((x - model(x)).flatten(1), dim=1).square().mean()
    parameters = list(model.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
    return {"squared_error": loss.detach()}


def decoder_by_library(encoder, cov):
    code = encoder @ cov @ encoder.T
    return cov @ encoder.T @ torch.linalg.pinv(code, rtol=1e-6)


def decoder_by_root(encoder, cov):
    values, vectors = torch.linalg.eigh(cov)
    root = vectors * values.clamp_min(0).sqrt()  # cov = root root^T
    return root @ torch.linalg.pinv(encoder @ root, rtol=1e-5)


def decoder_by_numpy(encoder, cov):
    w, c = encoder.numpy().astype("float64"), cov.numpy().astype("float64")
    return torch.tensor(c @ w.T @ np.linalg.pinv(w @ c @ w.T, rcond=1e-6), dtype=cov.dtype)


def score_by_pow(denoised, noisy, *, sigma):
    return (denoised - noisy) * sigma**-2


def score_in_steps(denoised, noisy, sigma):
    noise = (noisy - denoised) / sigma
    return -noise / sigma


def score_by_tensor(denoised, noisy, *, sigma):
    return torch.div(denoised - noisy, torch.tensor(sigma, dtype=noisy.dtype).square())


def mismatch_by_library(codes):
    centred = codes - codes.mean(0)
    law = torch.distributions.MultivariateNormal(codes.mean(0), centred.T @ centred / len(codes))
    zero = torch.zeros_like(codes[0])
    standard = torch.distributions.MultivariateNormal(zero, torch.diag(zero + 1))
    return torch.distributions.kl_divergence(law, standard)


def mismatch_by_eigenvalues(codes):
    cov = torch.cov(codes.T, correction=0)
    values = torch.linalg.eigvalsh(cov)
    return 0.5 * (values - 1 - values.log()).sum() + 0.5 * codes.mean(0).square().sum()


def mismatch_by_second_moment(codes):
    m = codes.mean(dim=0)
    second = codes.T @ codes / len(codes)
    logdet = torch.linalg.slogdet(second - torch.outer(m, m)).logabsdet
    return (second.diagonal().sum() - codes.shape[1] - logdet) / 2


def fill_by_where(model, x, mask):
    known = torch.where(mask.bool(), x, torch.zeros_like(x))
    return torch.where(mask.bool(), x, model(known))


def fill_by_products(model, x, mask):
    return mask * x + (1 - mask) * model(x * mask)


def fill_by_index(model, x, mask):
    hidden = (mask == 0).expand_as(x)
    answer = x.clone()
    answer[hidden] = model(x.masked_fill(hidden, 0.0))[hidden]
    return answer


RIGHT = {
    "autoencoder.linear_error": [
        error_by_trace,
        error_by_singular_values,
        error_by_numpy,
        error_by_sorting,
    ],
    "autoencoder.subspace_angle": [
        angle_by_cosine,
        angle_by_sine,
        angle_by_projectors,
        angle_by_svd,
    ],
    "autoencoder.step": [step_by_mse, step_by_parts, step_by_gradients],
    "autoencoder.best_decoder": [decoder_by_library, decoder_by_root, decoder_by_numpy],
    "autoencoder.score_from_denoiser": [score_by_pow, score_in_steps, score_by_tensor],
    "autoencoder.code_mismatch": [
        mismatch_by_library,
        mismatch_by_eigenvalues,
        mismatch_by_second_moment,
    ],
    "autoencoder.inpaint": [fill_by_where, fill_by_products, fill_by_index],
}
