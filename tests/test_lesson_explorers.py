"""What the explorers of the lessons compute, at the settings that their sliders allow."""

import ast
import itertools
import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from lessons import NAMES, ROOT
from torch import Tensor

from genimg_course import data, maths, viz

SETTINGS = {
    "kind": ("ordinary", "transposed"),
    "n": range(2, 9),
    "k": range(1, 6),
    "s": range(1, 5),
    "p": range(4),
    "d": range(1, 4),
    "o": range(4),
}
LIKE_THE_DATA = {"mean_1": 0.0, "mean_2": 0.0, "scale_1": 1.0, "scale_2": 1.0, "correlation": 0.6}


def parts_of(lesson: str, *names: str, **given: Any) -> SimpleNamespace:
    """Return some of the functions and values that a lesson defines at its top level."""
    (stem,) = (name for name in NAMES if name.startswith(lesson))
    tree = ast.parse((ROOT / "solutions" / f"{stem}.py").read_text(encoding="utf-8"))
    scope = {"torch": torch, "Tensor": Tensor, "data": data, "viz": viz, "SEED": 0, **given}
    for node in tree.body:
        if _defined(node) & set(names):
            exec(compile(ast.Module([node], []), stem, "exec"), scope)
    missing = [name for name in names if name not in scope]
    assert not missing, f"lesson {lesson} has no {missing}"
    return SimpleNamespace(**scope)


def _defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement of a lesson defines."""
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def adam_step(*given: Any, **options: Any) -> dict[str, Tensor]:
    """The step as the lesson's exercise returns it."""
    return dict(zip(("weight", "m", "v"), maths.adam_step(*given, **options), strict=True))


@pytest.fixture(scope="module")
def convolutions():
    return parts_of(
        "02",
        *("objection", "walk"),
        conv_size=maths.conv_size,
        transposed_conv_size=maths.transposed_conv_size,
    )


@pytest.fixture(scope="module")
def valley():
    return parts_of(
        "02",
        *("drawings", "wanted", "ink", "lower", "balance", "target", "height", "slope", "descend"),
        *("w_1", "heights", "starts", "roll"),
        adam_step=adam_step,
        momentum_step=maths.momentum_step,
    )


@pytest.fixture(scope="module")
def plane():
    def frechet(f_1: Tensor, f_2: Tensor) -> float:
        law_1, law_2 = ((f.mean(dim=0), f.T.cov()) for f in (f_1, f_2))
        return float(maths.gaussian_frechet(*law_1, *law_2))

    return parts_of(
        "04",
        *("covariance", "truth", "meet"),
        frechet=frechet,
        gaussian_frechet=maths.gaussian_frechet,
    )


def size_in_torch(kind: str, n: int, k: int, s: int, p: int, d: int, o: int) -> int:
    """Return what PyTorch makes of a side of ``n`` pixels, 0 if it refuses."""
    x, kernel, steps = torch.zeros(1, 1, n), torch.zeros(1, 1, k), {"stride": s, "padding": p}
    try:
        if kind == "ordinary":
            return F.conv1d(x, kernel, dilation=d, **steps).shape[-1]
        return F.conv_transpose1d(x, kernel, dilation=d, output_padding=o, **steps).shape[-1]
    except RuntimeError:
        return 0


def test_an_objection_is_made_to_exactly_the_layers_that_pytorch_refuses(convolutions):
    every = list(itertools.product(*SETTINGS.values()))
    chosen = random.Random(0).sample(every, 1500)
    refused = [setting for setting in chosen if size_in_torch(*setting) == 0]
    assert 100 < len(refused) < len(chosen) - 100
    objected = [setting for setting in chosen if convolutions.objection(*setting)]
    assert objected == refused


def test_the_picture_has_the_size_that_pytorch_makes(convolutions):
    every = list(itertools.product(*SETTINGS.values()))
    for setting in random.Random(1).sample(every, 40):
        kind, n, k, s, p, d, o = setting
        figure = convolutions.walk(kind, k, s, p, d, n, o)
        size = size_in_torch(*setting)
        names = [text.get_text() for text in figure.axes[0].texts]
        if size:
            assert figure.get_suptitle().endswith(f" = {size}")
            assert names[1].split(",")[0] == f"output {size} × {size}"
        else:
            assert figure.alt == f"{kind}: {convolutions.objection(*setting)}"
            assert len(names) == 1


def test_the_slope_is_the_gradient_of_the_height(valley):
    for start in valley.starts.values():
        w = torch.tensor(start, requires_grad=True)
        (expected,) = torch.autograd.grad(valley.height(w[0], w[1]), w)
        torch.testing.assert_close(
            valley.slope(w.detach(), valley.balance, valley.target), expected
        )


@pytest.mark.parametrize(
    ("name", "optimiser"),
    [
        ("SGD", lambda w: torch.optim.SGD(w, lr=0.1)),
        ("momentum", lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9)),
        ("Adam", lambda w: torch.optim.Adam(w, lr=0.1)),
    ],
)
def test_a_path_is_the_one_of_pytorch(valley, name, optimiser):
    w = torch.tensor(valley.starts["shelf"], requires_grad=True)
    steps, expected = optimiser([w]), [w.detach().clone()]
    for _ in range(30):
        steps.zero_grad()
        valley.height(w[0], w[1]).backward()
        steps.step()
        expected.append(w.detach().clone())
    path = valley.descend(name, 0.1, 30, torch.tensor(valley.starts["shelf"]), 200)
    torch.testing.assert_close(path, torch.stack(expected), rtol=1e-4, atol=1e-5)


def test_neighbours_of_the_saddle_end_in_networks_that_answer_alike(valley):
    ends = [
        valley.descend("SGD", 0.1, 200, torch.tensor(valley.starts[f"{side} of the saddle"]), 200)
        for side in ("left", "right")
    ]
    left, right = (path[-1] for path in ends)
    torch.testing.assert_close(left, -right, rtol=0.02, atol=0)


def test_a_run_that_flies_away_ends_and_says_so(valley):
    assert "loss" in valley.roll(log_rate=0.3).alt
    assert "SGD, rate 3.2: it flew away after 17 steps" in valley.roll(log_rate=0.5).alt


def test_the_shelf_holds_plain_descent_only(valley):
    losses = {
        name: float(valley.height(*valley.descend(name, 0.1, 200, start, 200)[-1]))
        for name in ("SGD", "momentum", "Adam")
        for start in [torch.tensor(valley.starts["shelf"])]
    }
    assert losses["SGD"] > 0.1 > 0.05 > losses["Adam"] > losses["momentum"]


def test_a_perfect_generator_is_at_zero_and_its_samples_are_not(plane):
    assert "exact 0.00 = means 0.00 + covariances 0.00" in plane.meet(**LIKE_THE_DATA).alt
    means = {
        n: float(plane.meet(**LIKE_THE_DATA, n=n).alt.split("mean ")[-1][:-1]) for n in (5, 20, 200)
    }
    assert means[5] > means[20] > means[200] > 0
    assert means[20] / means[200] == pytest.approx(10, rel=0.4)  # the bias falls like 1 / n


@pytest.mark.parametrize(
    ("change", "terms"),
    [
        ({"mean_1": 2.0}, "means 4.00 + covariances 0.00"),
        ({"correlation": -0.6}, "means 0.00 + covariances 0.80"),
        # deviations twice as large: the trace of the covariance, times the square of one
        ({"scale_1": 2.0, "scale_2": 2.0}, "means 0.00 + covariances 2.00"),
    ],
)
def test_each_term_follows_its_own_sliders(plane, change, terms):
    assert terms in plane.meet(**LIKE_THE_DATA | change).alt
