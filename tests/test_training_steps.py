import copy

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal
from torch.distributions import kl_divergence as exact_kl
from torch.optim import SGD

from genimg_course.models import (
    CVAE,
    VAE,
    Autoencoder,
    Classifier,
    ConditionalGenerator,
    Discriminator,
    Generator,
    ProjectionDiscriminator,
)
from genimg_course.training import (
    autoencoder_step,
    classifier_step,
    gan_step,
    lazily,
    vae_step,
)
from genimg_course.training.judge import jitter, train_judge

B, Z, K, LR = 4, 3, 3, 0.1
SUM_LR = 1e-3  # for losses that sum over pixels
Y = torch.tensor([2, 0, 1, 2])


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def pictures():
    return torch.rand(B, 1, 16, 16) * 2 - 1


def weights(network):
    return [p.detach().clone() for p in network.parameters()]


def moved(network, before):
    return [not torch.equal(p, old) for p, old in zip(network.parameters(), before, strict=True)]


def descend(loss, network, lr=LR):
    """One plain gradient step, written without an optimiser."""
    parameters = list(network.parameters())
    with torch.no_grad():
        for p, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p -= lr * slope


def assert_same_weights(network, other):
    torch.testing.assert_close(weights(network), weights(other), atol=1e-6, rtol=1e-4)


def check_against(reference, step, network, lr=LR):
    """Run a step and its independent description twice each, from equal states and equal noise."""
    twin = copy.deepcopy(network)
    optimizer = SGD(network.parameters(), lr=lr)
    for seed in (1, 2):  # twice: gradients of the first update must not leak into the second
        before = {name: weights(part) for name, part in network.named_children()}
        torch.manual_seed(seed)
        losses = step(network, optimizer)
        torch.manual_seed(seed)
        expected = reference(twin)
        torch.testing.assert_close(losses, expected, atol=1e-6, rtol=1e-4)
        assert not any(value.requires_grad for value in losses.values())
        for name, part in network.named_children():
            assert any(moved(part, before[name])) == bool(before[name])
        assert_same_weights(network, twin)


def test_autoencoder_step_is_one_descent_on_the_squared_error():
    x = pictures()

    def reference(model):
        loss = ((model(x) - x) ** 2).sum() / B
        descend(loss, model, SUM_LR)
        return {"squared_error": loss.detach()}

    def step(model, optimizer):
        return autoencoder_step(model, optimizer, x)

    check_against(reference, step, Autoencoder(Z, width=8), SUM_LR)


@pytest.mark.parametrize("beta", [1.0, 0.25])
@pytest.mark.parametrize(
    ("make", "labels"), [(lambda: VAE(Z, width=8), ()), (lambda: CVAE(Z, classes=K, width=8), (Y,))]
)
def test_vae_step_is_one_descent_on_the_negative_elbo(make, labels, beta):
    x = pictures().sign()

    def reference(model):
        logits, mu, logvar = model(x, *labels)
        reconstruction = -Bernoulli(logits=logits).log_prob((x + 1) / 2).sum() / B
        prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
        kl = exact_kl(Normal(mu, (logvar / 2).exp()), prior).sum() / B
        loss = reconstruction + beta * kl
        descend(loss, model, SUM_LR)
        named = {"negative_elbo": loss, "reconstruction": reconstruction, "kl": kl}
        return {name: value.detach() for name, value in named.items()}

    def step(model, optimizer):
        return vae_step(model, optimizer, x, *labels, beta=beta)

    check_against(reference, step, make(), SUM_LR)


def test_beta_of_the_vae_step_is_one_unless_said_otherwise():
    model = VAE(Z, width=4)
    losses = vae_step(model, SGD(model.parameters(), lr=LR), pictures())
    torch.testing.assert_close(losses["negative_elbo"], losses["reconstruction"] + losses["kl"])


def test_classifier_step_is_one_descent_on_the_cross_entropy():
    x = pictures()

    def reference(model):
        logits = model(x)
        loss = -logits.log_softmax(dim=1)[torch.arange(B), Y].mean()
        descend(loss, model)
        right = (logits.detach().argmax(dim=1) == Y).sum() / B
        return {"cross_entropy": loss.detach(), "accuracy": right}

    def step(model, optimizer):
        return classifier_step(model, optimizer, x, Y)

    check_against(reference, step, Classifier(K, width=4))


# --- GAN and cGAN


def unconditional():
    return Generator(Z, width=4), Discriminator(width=4, features=8)


def conditional():
    discriminator = ProjectionDiscriminator(classes=K, width=4, features=8)
    return ConditionalGenerator(Z, classes=K, width=4, embedding=2), discriminator


GANS = [(unconditional, ()), (conditional, (Y,))]


def run_gan(networks, x, labels, *, lr_g=LR, lr_d=LR, **options):
    generator, discriminator = networks
    torch.manual_seed(1)
    opt_g, opt_d = SGD(generator.parameters(), lr=lr_g), SGD(discriminator.parameters(), lr=lr_d)
    return gan_step(generator, discriminator, opt_g, opt_d, x, *labels, **options)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize(("make", "labels"), GANS)
def test_gan_step_is_a_descent_of_the_discriminator_then_of_the_generator(make, labels, gamma):
    (generator, discriminator), x = make(), pictures()
    g, d = copy.deepcopy((generator, discriminator))
    opt_g, opt_d = SGD(generator.parameters(), lr=LR), SGD(discriminator.parameters(), lr=LR)
    ones, zeros = torch.ones(B), torch.zeros(B)
    cost = F.binary_cross_entropy_with_logits
    for seed in (1, 2):
        torch.manual_seed(seed)
        losses = gan_step(generator, discriminator, opt_g, opt_d, x, *labels, gamma=gamma)

        torch.manual_seed(seed)
        fake = g(torch.randn(B, Z), *labels)
        real = x.clone().requires_grad_()
        a_real, a_fake = d(real, *labels), d(fake.detach(), *labels)
        d_loss = cost(a_real, ones) + cost(a_fake, zeros)
        (slope,) = torch.autograd.grad(a_real.sum(), real, create_graph=True)
        descend(d_loss + gamma / 2 * slope.square().sum() / B, d)
        g_loss = cost(d(fake, *labels), ones)
        descend(g_loss, g)

        expected = {"d_loss": d_loss, "g_loss": g_loss}
        expected |= {"real_logit": a_real.mean(), "fake_logit": a_fake.mean()}
        expected = {name: value.detach() for name, value in expected.items()}
        torch.testing.assert_close(losses, expected, atol=1e-6, rtol=1e-4)
        assert not any(value.requires_grad for value in losses.values())
        assert_same_weights(discriminator, d)
        assert_same_weights(generator, g)
    assert (expected["real_logit"] - expected["fake_logit"]).abs() > 1e-3


@pytest.mark.parametrize(("make", "labels"), GANS)
def test_the_generators_update_leaves_the_discriminator_alone(make, labels):
    networks, x = make(), pictures()
    twins = copy.deepcopy(networks)
    run_gan(networks, x, labels, lr_g=LR)
    run_gan(twins, x, labels, lr_g=0.0)
    torch.testing.assert_close(weights(networks[1]), weights(twins[1]), atol=0, rtol=0)
    assert any(moved(networks[0], weights(twins[0])))


@pytest.mark.parametrize(("make", "labels"), GANS)
def test_the_discriminators_update_leaves_the_generator_alone(make, labels):
    networks, x = make(), pictures()
    before = [weights(n) for n in networks]
    run_gan(networks, x, labels, lr_g=0.0)
    assert not any(moved(networks[0], before[0]))
    assert any(moved(networks[1], before[1]))


def test_the_penalty_changes_the_discriminator_only():
    networks, x = unconditional(), pictures()
    without, with_penalty = copy.deepcopy(networks), copy.deepcopy(networks)
    losses = run_gan(without, x, ()), run_gan(with_penalty, x, (), gamma=5.0)
    assert losses[0]["d_loss"] == losses[1]["d_loss"]  # reported without the penalty
    assert any(moved(without[1], weights(with_penalty[1])))
    assert not x.requires_grad

    still, still_with_penalty = copy.deepcopy(networks), copy.deepcopy(networks)
    run_gan(still, x, (), lr_d=0.0)
    run_gan(still_with_penalty, x, (), lr_d=0.0, gamma=5.0)
    torch.testing.assert_close(weights(still[0]), weights(still_with_penalty[0]), atol=0, rtol=0)


def test_both_networks_get_the_labels_of_the_batch_every_time():
    (generator, discriminator), x, seen = conditional(), pictures(), []
    for network in (generator, discriminator):
        network.register_forward_pre_hook(lambda module, args: seen.append((module, args[1])))
    run_gan((generator, discriminator), x, (Y,))
    assert [module for module, _ in seen] == [generator, *[discriminator] * 3]
    assert all(torch.equal(y, Y) for _, y in seen)


def test_the_generator_draws_once_a_step_and_new_noise_in_the_next():
    (generator, discriminator), codes = unconditional(), []
    generator.register_forward_pre_hook(lambda module, args: codes.append(args[0]))
    opt_g, opt_d = (SGD(n.parameters(), lr=LR) for n in (generator, discriminator))
    for _ in range(2):
        gan_step(generator, discriminator, opt_g, opt_d, pictures())
    assert [code.shape for code in codes] == [(B, Z)] * 2
    assert not torch.equal(*codes)


def test_a_negative_penalty_is_refused():
    with pytest.raises(ValueError, match=r"gamma is -0\.5"):
        run_gan(unconditional(), pictures(), (), gamma=-0.5)


def test_a_picture_with_another_label_of_the_batch_counts_as_fake():
    (generator, discriminator), x = conditional(), pictures()
    d = copy.deepcopy(discriminator)
    run_gan((generator, discriminator), x, (Y,), lr_g=0.0, mismatch=0.7)

    torch.manual_seed(1)
    fake = copy.deepcopy(generator)(torch.randn(B, Z), Y)
    other = torch.tensor([2, 2, 0, 1])  # Y, turned by one; the first happens to be right
    a_wrong = d(x, other)[1:]
    cost = F.binary_cross_entropy_with_logits
    d_loss = cost(d(x, Y), torch.ones(B)) + cost(d(fake.detach(), Y), torch.zeros(B))
    descend(d_loss + 0.7 * cost(a_wrong, torch.zeros(3), reduction="sum") / B, d)
    assert_same_weights(discriminator, d)


def test_equal_labels_make_no_mismatched_pair():
    networks, x, same = conditional(), pictures(), torch.full((B,), 1)
    twins = copy.deepcopy(networks)
    run_gan(networks, x, (same,), mismatch=0.7)
    run_gan(twins, x, (same,))
    assert_same_weights(networks[1], twins[1])


@pytest.mark.parametrize(
    ("labels", "mismatch", "sentence"),
    [((Y,), -1.0, r"mismatch is -1\.0"), ((), 0.5, "need one tensor of labels, got 0")],
)
def test_an_impossible_mismatch_is_refused(labels, mismatch, sentence):
    networks = conditional() if labels else unconditional()
    with pytest.raises(ValueError, match=sentence):
        run_gan(networks, pictures(), labels, mismatch=mismatch)


@pytest.mark.parametrize("every", [1, 4, 16])
def test_a_lazy_penalty_has_the_same_mean(every):
    weights_of_steps = [lazily(0.3, n, every=every) for n in range(3 * every)]
    assert sum(weights_of_steps) / len(weights_of_steps) == pytest.approx(0.3)
    assert sum(w != 0 for w in weights_of_steps) == 3
    assert weights_of_steps[0] > 0


def test_a_penalty_cannot_be_lazier_than_never():
    with pytest.raises(ValueError, match="every is 0"):
        lazily(0.3, 1, every=0)


# --- the judge


def test_jitter_of_nothing_changes_nothing():
    x, rng = pictures(), torch.Generator().manual_seed(0)
    same = jitter(x, rng=rng, degrees=0.0, shift=0.0, stretch=0.0)
    torch.testing.assert_close(same, x, atol=1e-5, rtol=0)


def test_jitter_moves_each_image_differently_within_the_range_and_repeats_with_its_seed():
    x = pictures()[:1].expand(B, -1, -1, -1)
    first, again = (jitter(x, rng=torch.Generator().manual_seed(5)) for _ in range(2))
    assert first.shape == x.shape
    assert first.abs().max() <= 1
    assert (first[0] - first[1]).abs().max() > 0.1
    torch.testing.assert_close(first, again, atol=0, rtol=0)


def test_jitter_shifts_by_at_most_its_share_of_the_side_and_fills_with_black():
    x = torch.ones(200, 1, 16, 16)
    rng = torch.Generator().manual_seed(0)
    out = jitter(x, rng=rng, degrees=0.0, shift=0.125, stretch=0.0)
    black = (1 - out).sum(dim=(1, 2, 3)) / 2 / 16  # lost rows and columns
    assert out.min() == -1
    assert 3.2 < black.max() <= 4  # two of each at most


def test_a_judge_learns_to_tell_bright_from_dark():
    y = torch.arange(8) % 2
    x = (y * 1.6 - 0.8)[:, None, None, None].expand(8, 1, 16, 16) + 0.1 * torch.randn(8, 1, 16, 16)
    batches = iter(lambda: (x, y), None)
    rng = torch.Generator().manual_seed(0)
    network = train_judge(batches, steps=15, classes=2, rng=rng, lr=0.01, progress=False)
    assert isinstance(network, Classifier) and not network.training
    assert network(x).argmax(dim=1).tolist() == y.tolist()
