import itertools

import pytest
import torch

from genimg_course.models import AutoregressiveImages, MaskedLinear


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = AutoregressiveImages(3, width=7).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def every_picture():
    return (
        torch.tensor(list(itertools.product([-1.0, 1.0], repeat=9))).double().reshape(-1, 1, 3, 3)
    )


def test_probabilities_of_all_pictures_sum_to_one(model):
    assert model(every_picture()).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_a_model_that_sees_its_own_pixel_is_no_law():
    torch.manual_seed(0)
    model = AutoregressiveImages(3, width=7, strict=False).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    assert abs(model(every_picture()).exp().sum().item() - 1) > 0.05


def test_a_guess_depends_on_the_pixels_before_it_and_on_no_others(model):
    ink = torch.rand(9).double()
    slope = torch.autograd.functional.jacobian(lambda row: model.logits(row[None])[0], ink)
    assert torch.equal(slope != 0, torch.ones(9, 9).tril(-1).bool())


def test_samples_follow_the_probabilities(model):
    model = model.float()
    drawn = model.sample(20_000, rng=torch.Generator().manual_seed(1))
    assert drawn.shape == (20_000, 1, 3, 3) and set(drawn.unique().tolist()) == {-1.0, 1.0}
    pictures = every_picture().float()
    p = model(pictures).exp()
    index = ((drawn.flatten(1) + 1) / 2) @ 2.0 ** torch.arange(8, -1, -1)
    frequency = torch.bincount(index.long(), minlength=512) / 20_000
    assert ((frequency - p).abs() < 6 * (p * (1 - p) / 20_000).sqrt() + 2e-4).all()


def test_a_completion_keeps_the_given_pixels(model):
    model = model.float()
    x = torch.tensor([1.0, -1, 1, 1, -1, -1, -1, -1, -1]).reshape(1, 1, 3, 3).expand(30, 1, 3, 3)
    done = model.complete(x, 5, rng=torch.Generator().manual_seed(2))
    assert torch.equal(done.flatten(1)[:, :5], x.flatten(1)[:, :5])
    assert done.flatten(1)[:, 5:].unique().tolist() == [-1.0, 1.0]


def test_a_masked_weight_gets_no_gradient():
    mask = torch.tensor([[1.0, 0, 1], [0, 1, 0]])
    layer = MaskedLinear(mask)
    layer(torch.rand(4, 3)).square().sum().backward()
    assert torch.equal(layer.layer.weight.grad != 0, mask.bool())
    assert "mask" in layer.state_dict()
