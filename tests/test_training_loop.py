import itertools
import math
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.optim import Adam

from genimg_course.data import Batches, Card, ImageSet
from genimg_course.models import VAE, ConditionalGenerator, ProjectionDiscriminator
from genimg_course.training import (
    Average,
    CheckpointError,
    Checkpoints,
    NonFiniteLoss,
    fit,
    gan_step,
    lazily,
    loop,
    progress,
    vae_step,
)

STREAM = itertools.repeat((torch.zeros(2),))


def losses_of(*values):
    """A step that reports these losses, one after the other."""
    return lambda n, x: {"loss": torch.tensor(float(values[n]))}


# --- the history


def test_every_step_gets_its_number_and_its_batch():
    seen = []
    stream = iter([(torch.tensor(i), torch.tensor(-i)) for i in range(3)])

    def step(n, x, y):
        seen.append((n, x.item(), y.item()))
        return {"loss": torch.tensor(0.0)}

    fit(step, stream, steps=3, progress=False)
    assert seen == [(0, 0, 0), (1, 1, -1), (2, 2, -2)]


def test_on_a_cpu_every_step_is_read():
    history = fit(losses_of(3, 1, 2), STREAM, steps=3, progress=False)
    assert history["step"] == [1, 2, 3]
    assert history["loss"] == [3, 1, 2]
    assert list(history) == ["step", "seconds", "loss"]
    assert 0 <= history["seconds"][0] <= history["seconds"][1] <= history["seconds"][2] < 60


def test_a_look_records_the_mean_since_the_look_before():
    history = fit(losses_of(*range(10)), STREAM, steps=10, read_every=4, progress=False)
    assert history["step"] == [4, 8, 10]
    assert history["loss"] == [1.5, 5.5, 8.5]


def test_where_a_look_makes_the_device_wait_it_comes_every_25_steps():
    there = torch.tensor(0.0, device="meta")
    assert loop._pace({"a": torch.tensor(0.0)}) == 1
    assert loop._pace({"a": torch.tensor(0.0), "b": there}) == 25


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"steps": -3}, "steps is -3"),
        ({"steps": 3, "read_every": 0}, "read_every is 0"),
        ({"steps": 3, "read_every": -1}, "read_every is -1"),
    ],
)
def test_runs_of_no_steps_are_refused(options, named):
    with pytest.raises(ValueError, match=named):
        fit(losses_of(0), STREAM, progress=False, **options)


# --- when something breaks


@pytest.mark.parametrize("read_every", [1, 2, 3])
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_the_first_non_finite_loss_is_named_with_its_step(broken, read_every):
    calls = []

    def step(n, x):
        calls.append(n)
        bad = torch.tensor(broken if n >= 4 else 0.5)
        return {"d_loss": torch.tensor(0.1), "g_loss": bad}

    with pytest.raises(NonFiniteLoss, match=rf"g_loss became {broken} in step 4\b"):
        fit(step, STREAM, steps=20, read_every=read_every, progress=False)
    assert len(calls) <= 4 + read_every


def training(tmp_path, breaks):
    """A network whose weight grows by one a step, and a step that breaks as told."""
    network = nn.Linear(1, 1)
    network.weight.data.zero_()

    def step(n, x):
        network.weight.data += 1
        return {"loss": breaks(n, network)}

    return network, step, Checkpoints(tmp_path, {"network": network}, every=2)


def test_a_broken_run_keeps_its_last_good_checkpoint(tmp_path):
    def breaks(n, network):
        return torch.tensor(math.nan if n == 5 else 0.0)

    network, step, checkpoints = training(tmp_path, breaks)
    with pytest.raises(NonFiniteLoss):
        fit(step, STREAM, steps=9, checkpoints=checkpoints, progress=False)
    assert checkpoints.steps() == [2, 4]
    assert checkpoints.restore()[0] == 4
    assert network.weight.item() == 4


def test_weights_that_broke_behind_a_finite_loss_are_never_saved(tmp_path):
    def breaks(n, network):
        if n == 3:
            network.weight.data.fill_(math.nan)
        return torch.tensor(0.0)

    network, step, checkpoints = training(tmp_path, breaks)
    with pytest.raises(
        CheckpointError, match=r"network\.weight holds NaN or infinity after 4 steps"
    ):
        fit(step, STREAM, steps=9, checkpoints=checkpoints, progress=False)
    assert checkpoints.restore()[0] == 2
    assert network.weight.item() == 2


def interrupted_at(step_number):
    def step(n, x):
        if n == step_number:
            raise KeyboardInterrupt
        return {"loss": torch.tensor(float(n))}

    return step


def test_an_interrupt_keeps_the_history_and_says_so_in_a_sentence(capsys):
    history = fit(interrupted_at(2), STREAM, steps=9, progress=False)
    assert history["loss"] == [0, 1]
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    assert out.startswith("stopped by hand after 2 of 9 steps")


def test_an_interrupt_before_the_first_look_is_an_interrupt():
    with pytest.raises(KeyboardInterrupt):
        fit(interrupted_at(0), STREAM, steps=9, progress=False)


# --- progress


def test_the_bar_goes_to_stderr_and_never_draws_a_preview(capsys):
    fit(losses_of(0.5, 0.25, 0.125), STREAM, steps=3, preview=lambda: pytest.fail("drawn"))
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err and "loss=0.125" in err and "seconds" not in err


def test_without_progress_nothing_is_written(capsys):
    fit(losses_of(0, 0), STREAM, steps=2, progress=False)
    assert capsys.readouterr() == ("", "")


class Panel:
    """Stands in for the live panel and writes down what it is told."""

    def __init__(self, steps, preview=None):
        self.steps, self.preview, self.told = steps, preview, []

    def update(self, step, losses):
        self.told.append(("update", step, losses))

    def finish(self, step, losses):
        self.told.append(("finish", step, losses))


def test_the_panel_hears_of_every_look_and_of_the_end(monkeypatch):
    panel = Panel(3)
    monkeypatch.setattr(loop, "open_progress", lambda steps, preview: panel)
    fit(losses_of(0, 2, 4), STREAM, steps=3, read_every=2)
    assert panel.told == [
        ("update", 2, {"loss": 1.0}),
        ("update", 3, {"loss": 4.0}),
        ("finish", 3, {"loss": 4.0}),
    ]


def test_the_panel_is_closed_when_a_loss_breaks(monkeypatch):
    panel = Panel(3)
    monkeypatch.setattr(loop, "open_progress", lambda steps, preview: panel)
    with pytest.raises(NonFiniteLoss):
        fit(losses_of(7, math.nan), STREAM, steps=3)
    assert panel.told[-1] == ("finish", 1, {"loss": 7.0})


def test_the_panel_is_closed_when_the_very_first_step_fails(monkeypatch):
    panel = Panel(3)
    monkeypatch.setattr(loop, "open_progress", lambda steps, preview: panel)
    with pytest.raises(NonFiniteLoss):
        fit(losses_of(math.nan), STREAM, steps=3)
    assert panel.told == [("finish", 0, {})]


def test_a_step_that_names_other_losses_is_refused():
    def step(n, _):
        return {"loss" if n < 2 else "penalty": torch.tensor(1.0)}

    with pytest.raises(ValueError, match="step 2 returned penalty, the steps before it loss"):
        fit(step, STREAM, steps=3, progress=False)


@pytest.mark.parametrize("kernel", [None, object()])
def test_only_a_notebooks_kernel_gets_the_live_panel(monkeypatch, kernel):
    shell = SimpleNamespace(kernel=kernel)
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "genimg_course.viz", SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, "genimg_course.viz.live", SimpleNamespace(LivePanel=Panel))
    opened = progress.open_progress(5, str)
    assert isinstance(opened, Panel) == (kernel is not None)
    if kernel:
        assert (opened.steps, opened.preview) == (5, str)


# --- resuming


def pictures():
    rng = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (14, 1, 16, 16), generator=rng, dtype=torch.uint8)
    labels = torch.arange(14) % 3
    return ImageSet(images, labels, Card("noise", "Noise", "CC0", "this test", (1, 16, 16)))


def vae_run():
    model = VAE(2, width=2)
    parts = {"model": model, "optimizer": Adam(model.parameters(), lr=1e-3)}
    return parts, lambda n, x, y: vae_step(model, parts["optimizer"], x)


def cgan_run():
    g = ConditionalGenerator(2, classes=3, width=2, embedding=2)
    d = ProjectionDiscriminator(classes=3, width=2, features=4)
    opt_g, opt_d = Adam(g.parameters(), lr=1e-3), Adam(d.parameters(), lr=1e-3)
    average = Average(g)

    def step(n, x, y):
        losses = gan_step(g, d, opt_g, opt_d, x, y, gamma=lazily(1.0, n, every=2))
        average.update(g)
        return losses

    return {"g": g, "d": d, "opt_g": opt_g, "opt_d": opt_d, "average": average}, step


def run(make, folder, steps, seed):
    """Train from fresh objects or from the folder's checkpoint; return all that has a state."""
    torch.manual_seed(seed)
    parts, step = make()
    batches = Batches(pictures(), 4, rng=torch.Generator().manual_seed(seed))
    parts["batches"] = batches
    checkpoints = Checkpoints(folder, parts, every=3)
    history = fit(step, batches, steps=steps, checkpoints=checkpoints, progress=False)
    seconds = history.pop("seconds")
    assert seconds == sorted(seconds)
    states = {name: part.state_dict() for name, part in parts.items()}
    return states | {"history": history, "next": next(batches), "rng": torch.get_rng_state()}


@pytest.mark.parametrize("make", [vae_run, cgan_run])
def test_a_run_resumes_bit_for_bit(make, tmp_path):
    straight = run(make, tmp_path / "straight", 6, seed=0)
    run(make, tmp_path / "halves", 3, seed=0)
    resumed = run(make, tmp_path / "halves", 6, seed=99)  # another start, soon overwritten
    assert resumed["history"]["step"] == [1, 2, 3, 4, 5, 6]
    torch.testing.assert_close(resumed, straight, atol=0, rtol=0)


def test_a_finished_run_is_not_run_again(tmp_path):
    network, step, checkpoints = training(tmp_path, lambda n, network: torch.tensor(0.0))
    first = fit(step, STREAM, steps=4, checkpoints=checkpoints, progress=False)
    again = fit(step, STREAM, steps=4, checkpoints=checkpoints, progress=False)
    assert again == first
    assert network.weight.item() == 4


def test_a_checkpoint_is_written_now_and_then_and_at_the_end_with_all_losses_read(tmp_path):
    _, _, checkpoints = training(tmp_path, None)
    step = losses_of(*range(7))
    fit(step, STREAM, steps=7, read_every=100, checkpoints=checkpoints, progress=False)
    assert checkpoints.steps() == [6, 7]
    assert checkpoints.restore()[1]["step"] == [2, 4, 6, 7]
    assert checkpoints.restore()[1]["loss"] == [0.5, 2.5, 4.5, 6.0]
