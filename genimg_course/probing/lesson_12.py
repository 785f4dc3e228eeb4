"""What to observe in lesson 12: pictures for show, saved runs, linted networks, split batches."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.networks import seeded
from genimg_course.probing.steps import training_steps
from genimg_course.probing.values import plain

__all__ = ["TinyRun", "accumulated_step", "broken_rules", "run_state", "sample"]


def sample(function: Function, case: Case) -> Observations:
    """Observe the pictures, whether they hold a graph, and the generator afterwards."""
    network = _generator(case.inputs["seed"]).train(case.inputs["training"])
    result = function(network, case.inputs["z"].clone())
    yield "value", plain(result)
    # a fact about this process that no number shows; it earns nothing without the right pictures
    yield "graph", isinstance(result, Tensor) and result.requires_grad
    yield "state", plain(network.state_dict())
    yield "mode", tuple(module.training for module in network.modules())


def _generator(seed: int) -> nn.Sequential:
    norm = nn.BatchNorm1d(6)
    layers = (
        nn.Linear(3, 6),
        norm,
        nn.ReLU(),
        nn.Linear(6, 6),
        nn.Tanh(),
        nn.Unflatten(1, (1, 2, 3)),
    )
    network = seeded(nn.Sequential(*layers), seed)
    rng = torch.Generator().manual_seed(seed + 1)
    statistics = {
        "running_mean": torch.randn(6, generator=rng),
        "running_var": 0.2 + torch.rand(6, generator=rng),
    }
    norm.load_state_dict(statistics, strict=False)
    return network


class _Order:
    """A stream of examples in a random order; it says where it stands."""

    def __init__(self, seed: int) -> None:
        self.rng = torch.Generator().manual_seed(seed)

    def __next__(self) -> Tensor:
        return torch.randn(4, 2, generator=self.rng)

    def state_dict(self) -> dict[str, Any]:
        return {"order": self.rng.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rng.set_state(state["order"])


class _Average:
    """A network that follows another one at half the distance."""

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        for own, other in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(other, 0.5)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.updates = int(state["updates"])


class TinyRun:
    """A training with noise, an average and Adam, small enough for a check.

    Args:
        seed: chooses the first weights, the order of the data and the noise; it sets the global
            generator of torch.
    """

    def __init__(self, seed: int) -> None:
        self.network = seeded(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), seed)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.05)
        self.average = _Average(self.network)
        self.batches = _Order(seed + 1)
        torch.manual_seed(seed + 2)

    def parts(self) -> tuple[Any, ...]:
        """Return what a saved state is made of: network, optimiser, average, batches."""
        return self.network, self.optimizer, self.average, self.batches

    def go_on(self, steps: int) -> None:
        """Train for some steps."""
        for _ in range(steps):
            x = next(self.batches)
            loss = F.softplus(self.network(x + 0.3 * torch.randn_like(x))).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.average.update(self.network)


def run_state(function: Function, case: Case) -> Observations:
    """Save a run and let it go on; observe what was saved at once, and what it is after that."""
    run = TinyRun(case.inputs["seed"])
    run.go_on(case.inputs["stop"])
    saved = function(*run.parts())
    yield "value", _network_part(saved)
    run.go_on(2)  # what was saved must not notice
    yield "saved", plain(saved)


def _network_part(saved: Any) -> Any:
    if not isinstance(saved, Mapping):
        return plain(saved)
    return {"network": plain(saved["network"])} if "network" in saved else {}


_LAYERS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(2, 2, kernel_size=4, stride=2, padding=1),
    "up": lambda: nn.ConvTranspose2d(2, 2, kernel_size=4, stride=2, padding=1),
    "dense": lambda: nn.Linear(2, 2),
    "flat": nn.Flatten,
    "norm": lambda: nn.BatchNorm2d(2),
    "norm1": lambda: nn.BatchNorm1d(2),
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(negative_slope=0.2),
    "leak.01": nn.LeakyReLU,
    "leak.1": lambda: nn.LeakyReLU(negative_slope=0.1),
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "pool": lambda: nn.MaxPool2d(2),
    "mean": lambda: nn.AvgPool2d(2),
    "grow": lambda: nn.Upsample(scale_factor=2),
}


def broken_rules(function: Function, case: Case) -> Observations:
    """Observe what is said of a network that is built from words."""
    yield "value", plain(function(_build(case.inputs["layers"].split()), **case.options))


def _build(words: list[str]) -> nn.Sequential:
    layers: list[nn.Module] = []
    while words:
        word = words.pop(0)
        if word == "]":
            break
        layers.append(_build(words) if word == "[" else _LAYERS[word]())
    return nn.Sequential(*layers)


def accumulated_step(function: Function, case: Case) -> Observations:
    """Watch two steps of plain descent, and the pieces that the loss is given."""
    seed, x = case.inputs["seed"], case.inputs["x"].clone()
    network = seeded(nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)), seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    pieces = []

    def loss(model: nn.Module, piece: Tensor) -> Tensor:
        pieces.append(plain(piece))
        return F.softplus(model(piece)).mean()

    def step() -> Any:
        return function(network, optimizer, loss, x, **case.options)

    yield from training_steps(step, {"network": network}, ("loss",))
    yield "pieces", tuple(pieces)
