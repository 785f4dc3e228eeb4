"""The reference recipes: what they build, train, sample and refuse."""

import copy

import pytest
import torch

from genimg_course.models.weights import refuse_other_network
from genimg_course.reference import FAMILIES, families
from genimg_course.reference.families import CONDITIONAL, STEPS


def build(family, *, size=16, channels=1, steps=10):
    torch.manual_seed(0)
    return FAMILIES[family](size, channels, 10, steps)


def batch(run, *, size=16, channels=1, count=6):
    rng = torch.Generator().manual_seed(1)
    x = torch.rand(count, channels, size, size, generator=rng) * 2 - 1
    return x, torch.arange(count) % 10


@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_moves_every_network_and_gives_finite_losses(family):
    run = build(family)
    before = {
        (name, key): weight.detach().clone()
        for name, network in run.networks.items()
        for key, weight in network.named_parameters()
    }
    losses = run.step(0, *batch(run))
    assert losses and all(bool(loss.isfinite()) for loss in losses.values())
    for name, network in run.networks.items():
        moved = [
            not torch.equal(weight, before[name, key]) for key, weight in network.named_parameters()
        ]
        assert any(moved), name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size, channels", [(16, 3), (28, 1), (32, 1), (64, 3)])
def test_pictures_have_the_size_and_the_channels_of_the_data(family, size, channels):
    run = build(family, size=size, channels=channels)
    x = run.sample(3, torch.Generator().manual_seed(0))
    assert x.shape == (3, channels, size, size)
    assert -1 <= float(x.min()) <= float(x.max()) <= 1
    if run.rebuild:
        pictures, y = batch(run, size=size, channels=channels)
        assert run.rebuild(pictures, y).shape == pictures.shape


@pytest.mark.parametrize("family", FAMILIES)
def test_sampling_repeats_itself_and_leaves_no_trace(family):
    run = build(family)
    state = torch.get_rng_state()
    weights = {k: v.clone() for net in run.networks.values() for k, v in net.state_dict().items()}
    first, again = (run.sample(12, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(torch.get_rng_state(), state)
    now = {k: v for net in run.networks.values() for k, v in net.state_dict().items()}
    assert all(torch.equal(now[key], weights[key]) for key in weights)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_to_keep_is_built_again_from_its_description(family):
    import genimg_course.models as models

    run = build(family)
    assert run.weights.keys() == run.described.keys()
    for name, network in run.weights.items():
        made = getattr(models, run.described[name]["class"])(**run.described[name]["arguments"])
        refuse_other_network(made, network.state_dict(), name)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_resume_needs_is_among_the_parts(family):
    run, other = build(family), build(family)
    run.step(0, *batch(run))
    for name, part in other.parts.items():
        part.load_state_dict(copy.deepcopy(run.parts[name].state_dict()))
    x = batch(run)
    for trained in (run, other):
        torch.manual_seed(3)
        trained.step(1, *x)
    for one, two in zip(run.weights.values(), other.weights.values(), strict=True):
        two = two.state_dict()
        assert all(torch.equal(value, two[key]) for key, value in one.state_dict().items())


@pytest.mark.parametrize("family", sorted(CONDITIONAL))
def test_a_conditional_family_shows_the_classes_in_turn(family):
    run = build(family)
    # the same codes with another phase of classes: only where the class differs may pictures differ
    x = run.sample(12, torch.Generator().manual_seed(0))
    assert not torch.equal(x[0], x[10])  # another code, the same class
    with pytest.raises(ValueError, match="pictures have none: choose data with classes"):
        FAMILIES[family](16, 1, None, 10)


def test_the_learning_rate_falls_to_a_tenth():
    run = build("ae", steps=10)
    run.step(0, *batch(run))
    assert run.parts["optimizer"].param_groups[0]["lr"] == pytest.approx(2e-3)
    run.step(10, *batch(run))
    assert run.parts["optimizer"].param_groups[0]["lr"] == pytest.approx(2e-4)


def test_a_gan_keeps_the_average_and_not_the_generator_in_training():
    run = build("gan")
    for n in range(3):
        run.step(n, *batch(run))
    kept, now = run.weights["generator"], run.networks["generator"]
    assert kept is run.parts["average"].network and not kept.training
    assert not torch.equal(kept.pixels.weight, now.pixels.weight)


def test_the_adversaries_penalise_lazily(monkeypatch):
    asked = []

    def step(*_, gamma, **options):
        asked.append(gamma)
        return {"d_loss": torch.zeros(())}

    monkeypatch.setattr(families, "gan_step", step)
    for family in ("gan", "cgan"):
        run = build(family)
        asked.clear()
        for n in range(33):
            run.step(n, *batch(run))
        used = [n for n, gamma in enumerate(asked) if gamma]
        every = used[1]
        assert every > 1 and used == list(range(0, 33, every))
        assert {asked[n] for n in used} == {asked[0]}


def test_unseen_losses_of_a_vae_are_a_bound():
    run = build("vae")
    losses = run.unseen(*batch(run))
    assert losses["negative_elbo"] == losses["reconstruction"] + losses["kl"]
    assert set(STEPS) == set(FAMILIES)
