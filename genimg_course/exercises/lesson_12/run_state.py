"""Exercise: everything that a run needs to go on bit for bit."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_12 as probes
from genimg_course.probing.case import Case, Observations, Observed
from genimg_course.probing.lesson_12 import TinyRun
from genimg_course.training.snapshots import restore_run, run_state

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def seed() -> int:
        return int(torch.randint(1_000_000, (1,), generator=rng))

    return [
        Case({"seed": seed(), "stop": 3}),
        Case({"seed": seed(), "stop": 5}),
        Case({"seed": seed(), "stop": 1}, name="a stop after the first step"),
    ]


def _reading(case: Case, seen: Observed) -> Observations:
    """Resume a run from what was saved: it must do what the reference's resumed run does."""
    yield "value", seen["value"]
    other = TinyRun(case.inputs["seed"] + 10)
    other.go_on(1)
    restore_run(seen["saved"], *other.parts())
    yield "resumed:start", _weights(other.network)
    other.go_on(2)
    yield "resumed:network", _weights(other.network)
    yield "resumed:average", _weights(other.average.network)
    yield "resumed:batches", next(other.batches)
    yield "resumed:noise", torch.randn(2)


def _weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])


def _without(*names: str) -> Callable[..., dict[str, Any]]:
    def wrong(network: Any, optimizer: Any, average: Any, batches: Any) -> dict[str, Any]:
        whole = run_state(network, optimizer, average, batches)
        return {name: part for name, part in whole.items() if name not in names}

    return wrong


def _aliased(network: Any, optimizer: Any, average: Any, batches: Any) -> dict[str, Any]:
    parts = {"network": network, "optimizer": optimizer, "average": average, "batches": batches}
    state = {name: part.state_dict() for name, part in parts.items()}
    return {**state, "rng": torch.get_rng_state()}


def _reseeded(network: Any, optimizer: Any, average: Any, batches: Any) -> dict[str, Any]:
    whole = run_state(network, optimizer, average, batches)
    return {**whole, "rng": torch.Generator().manual_seed(0).get_state()}


def _raw_weights(network: Any, optimizer: Any, average: Any, batches: Any) -> dict[str, Any]:
    whole = run_state(network, optimizer, average, batches)
    return {**whole, "average": {**whole["average"], "network": copy.deepcopy(whole["network"])}}


SPECIFICATION = Specification(
    id="training.run_state",
    title="Everything that a run needs to go on",
    reference=run_state,
    cases=_cases,
    probe=probes.run_state,
    reading=_reading,
    rtol=0.0,
    atol=0.0,
    tolerances={
        f"resumed:{name}": (0.0, 0.0)
        for name in ("start", "network", "average", "batches", "noise")
    },
    sentences={
        "resumed": "The resumed run does not do what the undisturbed one did. What else decides "
        "about the next steps?"
    },
    misconceptions=(
        Misconception(
            "WEIGHTS_ONLY",
            _without("optimizer", "average", "batches", "rng"),
            "Only the weights are saved. The optimiser starts again without its running means, the "
            "data in another order, the noise somewhere else.",
        ),
        Misconception(
            "NO_OPTIMIZER",
            _without("optimizer"),
            "The optimiser is missing. Adam's running means and its count of steps decide how far "
            "each weight moves.",
        ),
        Misconception(
            "NO_AVERAGE",
            _without("average"),
            "The running average is missing. The training goes on as before, but the network that "
            "you would show begins anew.",
        ),
        Misconception(
            "NO_BATCHES",
            _without("batches"),
            "The place in the data is missing. The resumed run sees some pictures twice in an "
            "epoch and others not at all.",
        ),
        Misconception(
            "NO_RNG",
            _without("rng"),
            "The random state is missing, so the next steps draw other noise.",
        ),
        Misconception(
            "RESEEDED",
            _reseeded,
            "The random state that is saved is that of a fresh seed. The run would draw its first "
            "noise a second time; save the state where it stands.",
        ),
        Misconception(
            "NOT_COPIED",
            _aliased,
            "What is saved are the tensors that the next step overwrites: a state_dict holds no "
            "copies. Resumed later, the run starts from where it has gone meanwhile.",
        ),
        Misconception(
            "AVERAGE_IS_NETWORK",
            _raw_weights,
            "The network's own weights are saved as the average. After resuming, the average has "
            "forgotten its past.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is that another run, which gets back what you saved, does exactly what the "
            "first one did: weights, average, batches and noise, to the last bit."
        ),
        place=(
            "Four parts know their own state; ask each. A fifth thing decides about the noise. And "
            "what happens to a saved tensor when the training goes on?"
        ),
        example=(
            "What was saved stays as it was, though the weight moves. Run this:\n"
            ">>> class Nothing:\n"
            "...     def state_dict(self):\n"
            "...         return {}\n"
            ">>> line = torch.nn.Linear(1, 1)\n"
            ">>> descent = torch.optim.SGD(line.parameters())\n"
            ">>> saved = run_state(line, descent, Nothing(), Nothing())\n"
            ">>> _ = torch.nn.init.constant_(line.weight, 7.0)\n"
            ">>> bool(saved['network']['weight'] == 7.0), sorted(saved)\n"
            "(False, ['average', 'batches', 'network', 'optimizer', 'rng'])"
        ),
        question=(
            "If you had to continue somebody else's training by hand with pencil and paper, what "
            "would you have to know before the next step?"
        ),
        analogue=(
            "To go on with a game of cards tomorrow, it is not enough to know who holds which "
            "card. The order of the pile matters, and whose turn it is. And a photograph is safe, "
            "while the cards on the table are moved by the cleaner."
        ),
    ),
)
