"""Right answers to the exercises of lesson 02, of every kind that a reader may write."""

import math

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]

BENT = {"ELU", "GELU", "LeakyReLU", "MaxPool2d", "ReLU", "SiLU", "Sigmoid", "Softmax"}
BENT |= {"Softplus", "Tanh"}
STRAIGHT = {"Conv2d", "ConvTranspose2d", "Linear", "BatchNorm2d", "AvgPool2d", "Dropout"}
STRAIGHT |= {"AdaptiveAvgPool2d", "Flatten", "Unflatten", "Identity", "Upsample"}


def stages_by_sum(layers):
    return sum(1 for name in layers.split(" ") if name in BENT)


def stages_by_exclusion(layers):
    return len([name for name in layers.split() if name not in STRAIGHT])


def stages_by_loop(layers):
    degree = 1
    for name in layers.split():
        degree = degree * 2 if name in BENT else degree
    return int(math.log2(degree))


def size_by_formula(n, *, kernel_size, stride=1, padding=0, dilation=1):
    return math.floor((n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1


def size_by_counting(n, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1)
    return len(range(0, n + 2 * padding - reach, stride))


def size_by_layer(n, *, kernel_size, stride=1, padding=0, dilation=1):
    x = torch.zeros(1, 1, n)
    kernel = torch.zeros(1, 1, kernel_size)
    return F.conv1d(x, kernel, stride=stride, padding=padding, dilation=dilation).shape[-1]


def larger_by_formula(n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    covered = dilation * (kernel_size - 1) + 1
    return (n - 1) * stride + covered - 2 * padding + output_padding


def larger_by_painting(n, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    last = max(stride * i + dilation * a for i in range(n) for a in range(kernel_size))
    return last + 1 - 2 * padding + output_padding


def larger_by_layer(n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    layer = torch.nn.ConvTranspose1d(
        1,
        1,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
    )
    return layer(torch.zeros(1, 1, n)).shape[-1]


def back_by_painting(y, kernel, n, *, stride=1, padding=0):
    x = torch.zeros(n + 2 * padding, dtype=y.dtype)
    for i in range(len(y)):
        for a in range(len(kernel)):
            x[stride * i + a] = x[stride * i + a] + y[i] * kernel[a]
    return x[padding : padding + n]


def back_by_layer(y, kernel, n, stride=1, padding=0):
    short = (len(y) - 1) * stride - 2 * padding + len(kernel)
    result = F.conv_transpose1d(
        y[None, None],
        kernel[None, None],
        stride=stride,
        padding=padding,
        output_padding=n - short,
    )
    return result[0, 0]


def back_by_autograd(y, kernel, n, *, stride=1, padding=0):
    x = torch.zeros(1, 1, n, dtype=y.dtype, requires_grad=True)
    z = F.conv1d(x, kernel[None, None], stride=stride, padding=padding)
    return torch.autograd.grad(z, x, y[None, None], create_graph=True)[0][0, 0]


def gradient_by_one_hot(logits, y):
    return (F.softmax(logits, dim=1) - F.one_hot(y, logits.shape[1]).to(logits.dtype)) / len(y)


def gradient_by_autograd(logits, y):
    a = logits.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(a, y), a)[0]


def gradient_by_numpy(logits, y):
    a = logits.numpy()
    e = np.exp(a - a.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(p)), y.numpy()] -= 1
    return torch.from_numpy(p / len(p))


def norm_by_autograd(x, gamma, grad_y, *, eps=1e-5):
    x = x.detach().clone().requires_grad_()
    y = F.batch_norm(x, None, None, gamma, None, training=True, eps=eps)
    return torch.autograd.grad(y, x, grad_y)[0]


def norm_by_chain(x, gamma, grad_y, eps=1e-5):
    count = x.shape[0]
    centred = x - x.mean(0)
    std = (centred.pow(2).mean(0) + eps).sqrt()
    delta = gamma * grad_y
    d_std = -(delta * centred).sum(0) / std**2
    d_centred = delta / std + d_std * centred / (count * std)
    return d_centred - d_centred.mean(0)


def norm_by_matrix(x, gamma, grad_y, *, eps=1e-5):
    count = len(x)
    eye = torch.eye(count, dtype=x.dtype)
    columns = []
    for j in range(x.shape[1]):
        scale = 1 / math.sqrt(float(x[:, j].var(correction=0)) + eps)
        x_hat = (x[:, j] - x[:, j].mean()) * scale
        jacobian = scale * (eye - 1 / count - torch.outer(x_hat, x_hat) / count)
        columns.append(jacobian @ (gamma[j] * grad_y[:, j]))
    return torch.stack(columns, dim=1)


def drop_by_where(x, keep, *, p, training=True):
    return torch.where(keep > 0, x / (1 - p), torch.zeros_like(x)) if training else x


def drop_by_product(x, keep, p, training=True):
    if not training:
        return x.clone()
    return x * (keep / (1 - p))


def drop_by_fill(x, keep, *, p, training=True):
    if training:
        return x.masked_fill(keep == 0, 0.0).div(1 - p)
    return x * torch.ones_like(keep)


def adam_by_lerp(
    weight, gradient, m, v, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0
):
    m, v = m.lerp(gradient, 1 - betas[0]), v.lerp(gradient**2, 1 - betas[1])
    fraction = (m / (1 - betas[0] ** step)) / ((v / (1 - betas[1] ** step)).sqrt() + eps)
    return {"weight": weight - lr * (fraction + weight_decay * weight), "m": m, "v": v}


def adam_by_torch(
    weight, gradient, m, v, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0
):
    w = torch.nn.Parameter(weight.clone())
    w.grad = gradient.clone()
    optimizer = torch.optim.AdamW([w], lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
    state = {"step": torch.tensor(float(step - 1)), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    optimizer.state[w] = state
    optimizer.step()
    return {"weight": w.detach(), "m": state["exp_avg"], "v": state["exp_avg_sq"]}


def adam_by_numpy(weight, gradient, m, v, step, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    w, g, m, v = (t.numpy() for t in (weight, gradient, m, v))
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    w = w * (1 - lr * weight_decay)
    w = w - lr * (m / (1 - betas[0] ** step)) / (np.sqrt(v / (1 - betas[1] ** step)) + eps)
    named = {"weight": w, "m": m, "v": v}
    return {name: torch.from_numpy(value) for name, value in named.items()}


RIGHT = {
    "networks.nonlinear_stages": [stages_by_sum, stages_by_exclusion, stages_by_loop],
    "networks.conv_size": [size_by_formula, size_by_counting, size_by_layer],
    "networks.transposed_conv_size": [larger_by_formula, larger_by_painting, larger_by_layer],
    "networks.transposed_convolution": [back_by_painting, back_by_layer, back_by_autograd],
    "networks.softmax_cross_entropy_gradient": [
        gradient_by_one_hot,
        gradient_by_autograd,
        gradient_by_numpy,
    ],
    "networks.batch_norm_backward": [norm_by_autograd, norm_by_chain, norm_by_matrix],
    "networks.dropout": [drop_by_where, drop_by_product, drop_by_fill],
    "networks.adam_step": [adam_by_lerp, adam_by_torch, adam_by_numpy],
}
