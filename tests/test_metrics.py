import math

import pytest
import torch
from scipy.linalg import sqrtm
from skimage.metrics import peak_signal_noise_ratio
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from genimg_course import data, maths
from genimg_course.maths import gaussian_kl
from genimg_course.metrics import (
    Judge,
    bits_per_dimension,
    density_coverage,
    frechet_distance,
    inception_score,
    judge,
    kernel_distance,
    kl_per_latent,
    load_judge,
    precision_recall,
    psnr,
    roc_area,
    ssim,
)
from genimg_course.models import Classifier
from genimg_course.models.weights import save_weights


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# --- Fréchet distance


def features(count, side=4):
    return torch.randn(count, side, dtype=torch.float64) @ torch.randn(side, side).double()


def test_frechet_distance_agrees_with_numpy_and_scipy():
    a, b = features(30), features(50) + 1
    means = [m.numpy().mean(axis=0) for m in (a, b)]
    covs = [torch.cov(m.T, correction=1).numpy() for m in (a, b)]
    cross = sqrtm(covs[0] @ covs[1]).real
    expected = ((means[0] - means[1]) ** 2).sum() + (covs[0] + covs[1] - 2 * cross).trace()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_a_shifted_set_is_the_squared_shift():
    a = features(30)
    shift = torch.tensor([1.0, 2.0, 0.0, -2.0])
    assert frechet_distance(a + shift, a) == pytest.approx(9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_depends_on_the_sets_and_not_on_any_order():
    a, b = features(30), features(20)
    value = frechet_distance(a, b)
    assert value > 0.1
    assert frechet_distance(b, a) == pytest.approx(value)
    assert frechet_distance(a[torch.randperm(30)], b.flip(0)) == pytest.approx(value)


def test_frechet_distance_of_one_feature_is_known():
    a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [7.0]])
    assert frechet_distance(a, b) == pytest.approx(9 + (2**0.5 - 18**0.5) ** 2)


def test_frechet_distance_is_computed_in_double_precision():
    """In float32 the covariance of features far from zero is lost."""
    a, b = (torch.randint(-8, 9, (200, 3)).float() + 2.0**20 for _ in range(2))
    expected = frechet_distance(a.double() - 2.0**20, b.double() - 2.0**20)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-3)


# --- against torchmetrics, with the judge of the course as extractor


class Look(nn.Module):
    """The judge as torchmetrics wants it: images to features, or to logits."""

    num_features = 64

    def __init__(self, logits=False):
        super().__init__()
        self.network, self.logits = load_judge().network, logits

    def forward(self, images):
        return self.network(images) if self.logits else self.network.features(images)


def real_and_fake():
    real = data.to_model_range(data.load("glyphs", size=16, count=150).images)
    fresh = data.load("glyphs", size=16, split="validation", count=120).images
    fake = data.to_model_range(fresh)
    return real, (fake + 0.2 * torch.randn(fake.shape)).clamp(-1, 1)


def library(measure, real, fake):
    measure.update(real, real=True)
    measure.update(fake, real=False)
    return measure.compute()


def test_frechet_distance_agrees_with_torchmetrics():
    real, fake = real_and_fake()
    measure = FrechetInceptionDistance(feature=Look())
    found = frechet_distance(load_judge().features(fake), load_judge().features(real))
    assert found == pytest.approx(library(measure, real, fake).item(), rel=1e-3)
    assert found > 5


@pytest.mark.filterwarnings("ignore:Metric")
def test_kernel_distance_agrees_with_torchmetrics():
    real, fake = (side[:120] for side in real_and_fake())
    measure = KernelInceptionDistance(feature=Look(), subsets=1, subset_size=120)
    expected, _ = library(measure, real, fake)
    found = kernel_distance(load_judge().features(fake), load_judge().features(real))
    assert found == pytest.approx(expected.item(), rel=1e-3)
    assert found > 5


@pytest.mark.filterwarnings("ignore")
def test_inception_score_agrees_with_torchmetrics():
    _, fake = real_and_fake()
    measure = InceptionScore(feature=Look(logits=True), splits=1)
    measure.update(fake)
    expected, _ = measure.compute()
    assert inception_score(load_judge().predict(fake)) == pytest.approx(expected.item(), rel=1e-4)


def test_measures_of_samples_are_plain_numbers_of_the_mathematics():
    y, x = torch.randn(30, 4), torch.randn(40, 4) + 0.5
    assert kernel_distance(y, x) == float(maths.squared_mmd(y.double(), x.double()))
    for ours, theirs in (
        (precision_recall(y, x, k=2), maths.precision_recall(y.double(), x.double(), k=2)),
        (density_coverage(y, x, k=4), maths.density_coverage(y.double(), x.double(), k=4)),
        (precision_recall(y, x), maths.precision_recall(y.double(), x.double(), k=3)),
        (density_coverage(y, x), maths.density_coverage(y.double(), x.double(), k=5)),
    ):
        assert ours == {name: float(value) for name, value in theirs.items()}
        assert all(type(value) is float for value in ours.values())
    p = torch.rand(9, 3).softmax(dim=1)
    assert inception_score(p) == float(maths.inception_score(p.double()))
    assert roc_area(y[:, 0], x[:, 0]) == float(maths.roc_area(y[:, 0].double(), x[:, 0].double()))
    assert roc_area(y[:, 0], x[:, 0]) == pytest.approx(1 - roc_area(x[:, 0], y[:, 0]))


def test_image_measures_and_bits_are_those_of_the_mathematics():
    assert (psnr, ssim, bits_per_dimension) == (
        maths.psnr,
        maths.ssim,
        maths.bits_per_dimension,
    )


# --- known faults


def faulty(name):
    """Features of 600 fresh drawings, spoiled in a known way, and of 600 real ones."""
    look = load_judge()
    real, pool = (
        data.load("glyphs", size=16, split=s, count=1200) for s in ("train", "validation")
    )
    x = data.to_model_range(pool.images)
    images = {
        "fresh": x[:600],
        "noisy": (x[:600] + 0.3 * torch.randn(600, 1, 16, 16)).clamp(-1, 1),
        "forgetful": x[pool.labels < 5][:600],
        "memorised": torch.cat([x[pool.labels == k][:1] for k in range(10)]).repeat(60, 1, 1, 1),
        "inventive": torch.maximum(x[:600], x[600:]),
    }[name]
    return images, look.features(images), look.features(data.to_model_range(real.images[:600]))


@pytest.mark.parametrize(
    ("name", "precise", "complete"),
    [
        ("fresh", True, True),
        ("noisy", False, False),
        ("forgetful", True, False),
        ("memorised", True, False),
        ("inventive", False, True),
    ],
)
def test_a_known_fault_is_found_and_named(name, precise, complete):
    _, features, real = faulty(name)
    distances = frechet_distance(features, real), kernel_distance(features, real)
    assert [d > 8 for d in distances] == [name != "fresh"] * 2
    found = precision_recall(features, real)
    assert (found["precision"] > 0.6) == precise
    assert (found["recall"] > 0.7) == complete
    assert (density_coverage(features, real)["coverage"] > 0.8) == (name == "fresh")


def test_the_inception_score_is_fooled_by_ten_memorised_images():
    images, _, _ = faulty("memorised")
    assert inception_score(load_judge().predict(images)) > 9.5


# --- reconstructions


@pytest.mark.parametrize("span", [1.0, 2.0])
def test_psnr_agrees_with_scikit_image(span):
    x = torch.rand(3, 2, 8, 8, dtype=torch.float64) * span
    x_hat = x + torch.tensor([0.01, 0.1, 0.3])[:, None, None, None] * torch.randn_like(x)
    expected = [
        peak_signal_noise_ratio(a, b, data_range=span)
        for a, b in zip(x.numpy(), x_hat.numpy(), strict=True)
    ]
    torch.testing.assert_close(psnr(x_hat, x, span=span), torch.tensor(expected).double())


def test_psnr_takes_images_from_minus_one_to_one():
    black, white = torch.full((1, 1, 4, 4), -1.0), torch.full((1, 1, 4, 4), 1.0)
    assert psnr(black, white).tolist() == pytest.approx([0])
    assert psnr(white - 0.02, white).tolist() == pytest.approx([40], rel=1e-4)
    assert psnr(white, white).tolist() == [math.inf]


# --- latents


def test_kl_per_latent_sums_to_the_kl_term():
    mu, logvar = torch.randn(2, 16, 5, dtype=torch.float64)
    nats = kl_per_latent(mu, logvar)
    assert nats.shape == (5,)
    torch.testing.assert_close(nats.sum(), gaussian_kl(mu, logvar).mean())


def test_kl_per_latent_tells_which_latent_carries_what():
    mu, logvar = torch.randn(2, 16, 5, dtype=torch.float64)
    mu[:, 3], logvar[:, 3] = 0, 0  # collapsed
    expected = [gaussian_kl(mu[:, [j]], logvar[:, [j]]).mean().item() for j in range(5)]
    assert kl_per_latent(mu, logvar).tolist() == pytest.approx(expected)
    assert expected[3] == 0


# --- judges


class Brightness(nn.Module):
    """Class 0, 1 or 2 for dark, grey and bright images; batch normalisation gives the mode away."""

    classes = 3

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(1)

    def features(self, x):
        return self.norm(x.mean(dim=(1, 2, 3))[:, None])

    def forward(self, x):
        return -(self.features(x) - torch.tensor([-1.0, 0.0, 1.0])).square()


def shades(*values):
    return torch.tensor(values)[:, None, None, None].expand(-1, 1, 4, 4)


def test_a_judge_counts_how_often_it_sees_what_was_asked_for():
    x, y = shades(-0.9, -0.1, 0.2, 0.8), torch.tensor([0, 1, 2, 2])
    assert Judge(Brightness(), {}).accuracy(x, y) == pytest.approx(0.75)


def test_a_judge_counts_the_classes_it_sees_the_lost_ones_too():
    shares = Judge(Brightness(), {}).class_shares(shades(-0.9, -0.8, -0.7, 0.1))
    assert shares.tolist() == [0.75, 0.25, 0]


def test_a_judge_gives_probabilities_and_features_in_evaluation_mode():
    network, x = Brightness().train(), shades(-0.9, 0.3, 0.8)
    judged = Judge(network, {})
    p, seen = judged.predict(x), judged.features(x)
    network.eval()
    torch.testing.assert_close(p, network(x).softmax(dim=1))
    torch.testing.assert_close(seen, network.features(x))
    assert not p.requires_grad and not seen.requires_grad


def test_a_judge_sees_many_images_in_pieces_and_in_order():
    x = shades(*torch.linspace(-1, 1, 1203).tolist())
    judged = Judge(Brightness(), {})
    torch.testing.assert_close(judged.features(x), judged.network.features(x).detach())


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """A tiny classifier stored as the judge of a data set."""
    monkeypatch.setattr(judge, "FOLDER", tmp_path)
    form = {"classes": 3, "channels": 1, "width": 2, "features": 4}
    network = Classifier(**form).eval()
    save_weights(network, judge.judge_path("dots", 16), {"network": form, "seed": 1})
    return network


def test_a_stored_judge_is_loaded_ready_to_judge(stored):
    loaded, x = load_judge("dots", 16), torch.rand(5, 1, 16, 16)
    assert (loaded.card["seed"], loaded.network.training) == (1, False)
    assert not any(p.requires_grad for p in loaded.network.parameters())
    torch.testing.assert_close(loaded.features(x), stored.features(x).detach())
    torch.testing.assert_close(loaded.predict(x), stored(x).softmax(dim=1).detach())


@pytest.mark.parametrize(("name", "size"), [("cats", 16), ("dots", 28)])
def test_a_judge_that_is_not_there_is_named_with_those_that_are(stored, name, size):
    with pytest.raises(ValueError) as error:
        load_judge(name, size)
    assert f"no judge for '{name}' at {size} pixels" in str(error.value)
    assert "(there are: dots_16)" in str(error.value)


def test_an_altered_judge_is_refused(stored, tmp_path):
    path = tmp_path / "dots_16.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"dots_16\.safetensors was altered"):
        load_judge("dots", 16)


# --- bad input

F, X, NAN = torch.zeros(4, 3), torch.zeros(2, 1, 4, 4), torch.full((4, 3), math.nan)
JUDGE = Judge(Brightness(), {})


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: frechet_distance(F, F[:, :2]), "3 columns, reference 2"),
        (lambda: frechet_distance(F, F[:1]), "4 and 1"),
        (lambda: frechet_distance(F[0], F), "(3,)"),
        (lambda: frechet_distance(NAN, F), "features has 12"),
        (lambda: frechet_distance(F, NAN), "reference has 12"),
        (lambda: psnr(X, X[:1]), "(1, 1, 4, 4)"),
        (lambda: psnr(X[:0], X[:0]), "(0, 1, 4, 4)"),
        (lambda: psnr(X * math.nan, X), "x_hat has 32"),
        (lambda: psnr(X, X, span=0.0), "span is 0.0"),
        (lambda: kernel_distance(F, F[:, :2]), "3 columns, y has 2"),
        (lambda: precision_recall(F, F, k=4), "k is 4"),
        (lambda: density_coverage(F, NAN, k=1), "reference has 12"),
        (lambda: roc_area(F, F[0]), "low has shape (4, 3)"),
        (lambda: inception_score(F), "1 away"),
        (lambda: ssim(X, X), "window 11"),
        (lambda: kl_per_latent(F, F[:1]), "(1, 3)"),
        (lambda: kl_per_latent(F[0], F[0]), "(3,)"),
        (lambda: kl_per_latent(F, NAN), "logvar has 12"),
        (lambda: JUDGE.features(X * math.nan), "x has 32"),
        (lambda: JUDGE.class_shares(X[:0]), "(0, 1, 4, 4)"),
        (lambda: JUDGE.accuracy(X, torch.tensor([0, 3])), "[0, 3]"),
        (lambda: JUDGE.accuracy(X, torch.tensor([0])), "1 labels for 2"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
