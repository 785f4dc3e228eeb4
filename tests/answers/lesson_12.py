"""Right answers to the exercises of lesson 12, of every kind that a reader may write."""

import copy
import pickle

import numpy as np
import torch
from torch import nn

__all__ = ["RIGHT"]


def size_by_loop(size, *, kernel_size=4, largest=7):
    doublings = 0
    while size > largest and not size % 2:
        size //= 2
        doublings += 1
    extra = 1 if kernel_size % 2 else 0
    return {
        "side": size,
        "doublings": doublings,
        "padding": (kernel_size + extra) // 2 - 1,
        "output_padding": extra,
    }


def size_by_search(size, kernel_size=4, largest=7):
    doublings = next(d for d in range(9) if size / 2**d <= largest or size % 2 ** (d + 1))
    padding, extra = next(
        (p, o) for o in (0, 1) for p in range(kernel_size) if kernel_size - 2 * p + o == 2
    )
    keys = ("doublings", "side", "output_padding", "padding")
    return dict(zip(keys, (doublings, size // 2**doublings, extra, padding), strict=True))


def size_as_tensors(size, *, kernel_size=4, largest=7):
    return {name: torch.tensor(n) for name, n in size_by_search(size, kernel_size, largest).items()}


ACTIVE = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.Tanh, nn.Sigmoid)


def rules_by_loop(network, *, role, beta1=0.5):
    layers = [m for m in network.modules() if not len(list(m.children()))]
    found = dict.fromkeys(
        ["pooling", "dense", "edge_norm", "activation", "slope", "output", "momentum"], 0
    )
    heavy = [
        i for i, m in enumerate(layers) if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    ]
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d | nn.Upsample):
            found["pooling"] += 1
        if isinstance(layer, nn.Linear):
            spared = i == heavy[0] if role == "generator" else i == heavy[-1]
            found["dense"] += 0 if spared else 1
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            edge = i > heavy[-1] if role == "generator" else len(heavy) < 2 or i < heavy[1]
            found["edge_norm"] += edge
        if isinstance(layer, ACTIVE) and i < len(layers) - 1:
            right = isinstance(layer, nn.ReLU if role == "generator" else nn.LeakyReLU)
            found["activation"] += not right
            found["slope"] += isinstance(layer, nn.LeakyReLU) and layer.negative_slope != 0.2
    if role == "generator":
        found["output"] = 0 if isinstance(layers[-1], nn.Tanh) else 1
    else:
        found["output"] = 1 if isinstance(layers[-1], ACTIVE) else 0
    found["momentum"] = 0 if beta1 == 0.5 else 1
    return {name: int(count) for name, count in found.items()}


def rules_by_names(network, role, beta1=0.5):
    layers = [m for m in network.modules() if not [*m.children()]]
    names = [type(m).__name__ for m in layers]
    heavy = [i for i, name in enumerate(names) if name in ("Linear", "Conv2d", "ConvTranspose2d")]
    generator = role == "generator"
    active = ("ReLU", "LeakyReLU", "ELU", "Tanh", "Sigmoid")
    inner = [n for n in names[:-1] if n in active]
    edge = names[heavy[-1] :] if generator else names[: heavy[1]]
    ends = names[-1]
    return {
        "output": int(ends != "Tanh" if generator else ends in active),
        "momentum": int(beta1 != 0.5),
        "pooling": sum("Pool" in n or n == "Upsample" for n in names),
        "dense": names.count("Linear")
        - int(names[heavy[0]] == "Linear" if generator else names[heavy[-1]] == "Linear"),
        "edge_norm": sum(n.startswith("BatchNorm") for n in edge),
        "activation": sum(n != ("ReLU" if generator else "LeakyReLU") for n in inner),
        "slope": sum(getattr(m, "negative_slope", 0.2) != 0.2 for m in layers[:-1]),
    }


def rules_as_tensors(network, *, role, beta1=0.5):
    found = rules_by_loop(network, role=role, beta1=beta1)
    return {name: torch.tensor(count) for name, count in found.items()}


@torch.no_grad()
def sample_by_modes(generator, z):
    mode = generator.training
    x = generator.eval()(z)
    generator.train(mode)
    return x


def sample_from_a_copy(generator, z):
    twin = copy.deepcopy(generator).eval()
    with torch.inference_mode():
        return twin(z).clone()


def sample_one_by_one(generator, z):
    was = generator.training
    generator.train(False)
    x = torch.cat([generator(one[None]).detach() for one in z])
    if was:
        generator.train()
    return x


def bytes_by_tensors(parameters, activations, *, batch_size, moments=2, average=False, half=False):
    weights = torch.empty(parameters)
    held = [weights, weights, *[weights] * moments] + ([weights] if average else [])
    kind = torch.bfloat16 if half else torch.float32
    kept = batch_size * activations * torch.empty(0, dtype=kind).element_size()
    return sum(tensor.nbytes for tensor in held) + kept


def accumulate_by_chunks(network, optimizer, loss, x, *, pieces):
    optimizer.zero_grad(set_to_none=True)
    total = 0.0
    for chunk in x.chunk(pieces):
        mean = loss(network, chunk)
        (mean * len(chunk) / len(x)).backward()
        total += mean.detach() * len(chunk)
    optimizer.step()
    return {"loss": total / len(x)}


def accumulate_by_sums(network, optimizer, loss, x, pieces):
    size = -(-len(x) // pieces)
    network.zero_grad()
    values = []
    for start in range(0, len(x), size):
        piece = x[start : start + size]
        value = loss(network, piece) * len(piece)
        value.backward()
        values.append(value.detach())
    for parameter in network.parameters():
        parameter.grad /= len(x)
    optimizer.step()
    return {"loss": torch.stack(values).sum() / len(x), "pieces": torch.tensor(len(values))}


def accumulate_by_autograd(network, optimizer, loss, x, *, pieces):
    weights = list(network.parameters())
    gathered = [torch.zeros_like(w) for w in weights]
    total = torch.tensor(0.0)
    for piece in torch.tensor_split(x, pieces):
        value = loss(network, piece)
        share = len(piece) / len(x)
        for sum_, gradient in zip(gathered, torch.autograd.grad(value, weights), strict=True):
            sum_ += share * gradient
        total += share * value.detach()
    for weight, gradient in zip(weights, gathered, strict=True):
        weight.grad = gradient
    optimizer.step()
    return {"loss": total}


def clip_by_torch(gradient, scale, *, max_norm):
    weight = nn.Parameter(torch.zeros_like(gradient, dtype=torch.float32))
    weight.grad = gradient.to(torch.float32).div(scale)
    if not torch.isfinite(weight.grad).all():
        return torch.zeros_like(weight.grad)
    nn.utils.clip_grad_norm_([weight], max_norm)
    return weight.grad


def clip_by_numpy(gradient, scale, max_norm):
    g = gradient.numpy().astype(np.float32) / np.float32(scale)
    norm = np.linalg.norm(g)
    if not np.isfinite(norm):
        return torch.zeros(gradient.shape)
    return torch.from_numpy(g * np.float32(max_norm / norm) if norm > max_norm else g)


def clip_by_cases(gradient, scale, *, max_norm):
    true = gradient.float() * (1 / scale)
    norm = true.square().sum().sqrt()
    if norm.isnan() or norm.isinf():
        return true.new_zeros(true.shape)
    return true if norm <= max_norm else true / norm * max_norm


def state_by_deepcopy(network, optimizer, average, batches):
    return copy.deepcopy(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "average": average.state_dict(),
            "batches": batches.state_dict(),
            "rng": torch.get_rng_state(),
        }
    )


def state_by_pickle(network, optimizer, average, batches):
    names = {"network": network, "optimizer": optimizer, "average": average, "batches": batches}
    state = pickle.loads(pickle.dumps({k: v.state_dict() for k, v in names.items()}))
    state["rng"] = torch.random.get_rng_state().clone()
    return state


def state_by_default_generator(network, optimizer, average, batches):
    weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return {
        "rng": torch.default_generator.get_state(),
        "network": weights,
        **{
            name: copy.deepcopy(part.state_dict())
            for name, part in (
                ("optimizer", optimizer),
                ("average", average),
                ("batches", batches),
            )
        },
    }


def hours_by_loop(seconds, *, images, batch_size, epochs, warm_up=5):
    per_epoch, left = 0, images
    while left >= batch_size:
        per_epoch, left = per_epoch + 1, left - batch_size
    good = seconds.tolist()[warm_up:]
    return sum(good) / len(good) * per_epoch * epochs / 60 / 60


RIGHT = {
    "dcgan.size_rule": [size_by_loop, size_by_search, size_as_tensors],
    "dcgan.broken_rules": [rules_by_loop, rules_by_names, rules_as_tensors],
    "dcgan.sample": [sample_by_modes, sample_from_a_copy, sample_one_by_one],
    "training.training_bytes": [
        bytes_by_tensors,
        lambda parameters, activations, *, batch_size, moments=2, average=False, half=False: (
            4 * parameters * (2 + moments + int(average))
            + activations * batch_size * (4 - 2 * half)
        ),
        lambda parameters, activations, batch_size, moments=2, average=False, half=False: sum(
            [4 * parameters] * (moments + 3 if average else moments + 2)
            + [batch_size * activations * 2] * (1 if half else 2)
        ),
    ],
    "training.accumulated_step": [
        accumulate_by_chunks,
        accumulate_by_sums,
        accumulate_by_autograd,
    ],
    "training.unscale_and_clip": [clip_by_torch, clip_by_numpy, clip_by_cases],
    "training.run_state": [state_by_deepcopy, state_by_pickle, state_by_default_generator],
    "training.run_hours": [
        hours_by_loop,
        lambda seconds, *, images, batch_size, epochs, warm_up=5: (
            float(np.mean(seconds.numpy()[warm_up:])) * (images // batch_size) * epochs / 3600
        ),
        lambda seconds, images, batch_size, epochs, warm_up=5: (
            seconds[warm_up:].mean() * epochs * (images // batch_size) / 3600
        ),
    ],
}
